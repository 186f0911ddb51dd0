#include "core/io/state_dict.h"

#include <numeric>

#include "core/optim/adam.h"
#include "core/optim/sgd.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

namespace convoy::io {
namespace {

using testing::expect_error;

void count_up(Tensor& value, RandomSequence&) {
  std::iota(value.values().begin(), value.values().end(), 0.0F);
}

// A model's parameters, all different: R,S,C,K = 2,3,4,5 and in,out = 3,2.
struct Model {
  Parameter conv{{.shape = {2, 3, 4, 5}, .layout = Layout::kConvWeight, .initializer = count_up}};
  Parameter linear{{.shape = {3, 2}, .layout = Layout::kLinearWeight, .initializer = count_up}};
  Parameter bias{{.shape = {5}, .initializer = count_up}};
  Parameter mean{{.shape = {5}, .initializer = count_up, .trainable = false}};
  Parameter batches{{.shape = {}, .initializer = count_up, .trainable = false, .integer = true}};
  ParameterStore store{{{"conv.weight", &conv},
                        {"bn.running_mean", &mean},
                        {"bn.num_batches_tracked", &batches},
                        {"conv.bias", &bias},
                        {"fc.weight", &linear}},
                       0};

  std::vector<float> all_values() const {
    std::vector<float> values;
    for (const Parameter* parameter : store.parameters()) {
      values.insert(values.end(), parameter->value().values().begin(),
                    parameter->value().values().end());
    }
    return values;
  }
};

TEST(StateDictTest, TensorsHavePyTorchsOrder) {
  const Model model;
  const StateDict dict = state_dict(model.store);
  ASSERT_EQ(dict.size(), 5U);
  const Tensor& conv = dict.at("conv.weight").values;
  ASSERT_EQ(conv.shape(), (Shape{5, 4, 2, 3}));
  for (std::int64_t k = 0; k < 5; ++k) {
    for (std::int64_t c = 0; c < 4; ++c) {
      for (std::int64_t r = 0; r < 2; ++r) {
        for (std::int64_t s = 0; s < 3; ++s) {
          EXPECT_EQ(conv.data()[((k * 4 + c) * 2 + r) * 3 + s],
                    model.conv.value().data()[((r * 3 + s) * 4 + c) * 5 + k]);
        }
      }
    }
  }
  const Tensor& linear = dict.at("fc.weight").values;
  EXPECT_EQ(linear.shape(), (Shape{2, 3}));
  EXPECT_EQ(std::vector<float>(linear.values().begin(), linear.values().end()),
            (std::vector<float>{0, 2, 4, 1, 3, 5}));
  EXPECT_EQ(dict.at("conv.bias").values.values()[4], 4.0F);
  EXPECT_EQ(dict.at("conv.bias").dtype, Dtype::kF32);
  EXPECT_EQ(dict.at("bn.num_batches_tracked").dtype, Dtype::kI64);
  EXPECT_EQ(dict.at("bn.num_batches_tracked").values.shape(), Shape());
}

TEST(StateDictTest, CopyOfTheValuesIsReadInPlaceOfThem) {
  Model model;
  const std::vector<float> copy(model.store.all_values().begin(), model.store.all_values().end());
  const StateDict before = state_dict(model.store);
  std::ranges::fill(model.store.all_values(), -1.0F);
  EXPECT_EQ(serialize_safetensors({state_sources(model.store, copy), {}}),
            serialize_safetensors(SafetensorsFile{before, {}}));
  expect_error([&] { state_sources(model.store, std::span(copy).first(16)); },
               "16 values of a model");
}

TEST(StateDictTest, SourcesGiveAnyPieceOfTheirTensors) {
  const Model model;
  const StateDict dict = state_dict(model.store);
  const TensorSources sources = state_sources(model.store, model.store.all_values());
  ASSERT_EQ(sources.size(), dict.size());
  for (const auto& [name, source] : sources) {
    const std::span<const float> whole = dict.at(name).values.values();
    for (std::size_t first = 0; first <= whole.size(); ++first) {
      for (std::size_t end = first; end <= whole.size(); ++end) {
        std::vector<float> piece(end - first);
        source.read(static_cast<std::int64_t>(first), piece);
        EXPECT_TRUE(std::ranges::equal(piece, whole.subspan(first, end - first)))
            << name << " from " << first << " to " << end;
      }
    }
  }
}

TEST(StateDictTest, SavedFileLoadsIntoAnotherModel) {
  const testing::TemporaryDirectory directory;
  const auto path = directory.path() / "model.safetensors";
  Model saved;
  saved.batches.value().fill(41.0F);
  save_state_dict(saved.store, path, {{"epoch", "3"}});
  EXPECT_EQ(read_safetensors(path).metadata,
            (std::map<std::string, std::string>{{"epoch", "3"}, {"format", "pt"}}));

  Model loaded;
  for (Parameter* parameter : loaded.store.parameters()) {
    parameter->value().fill(-1.0F);
  }
  load_state_dict(loaded.store, path);
  EXPECT_EQ(loaded.all_values(), saved.all_values());
}

TEST(StateDictTest, WhatDoesNotFitIsListedAndNothingIsLoaded) {
  StateDict dict = state_dict(Model().store);
  for (auto& [name, tensor] : dict) {
    tensor.values.fill(9.0F);
  }
  dict["fc.weight"].values = Tensor::zeros({3, 2});
  dict["conv.weight"].values = Tensor::zeros({2, 3, 4, 5});
  dict["conv.bais"] = dict.extract("conv.bias").mapped();
  dict.erase("bn.num_batches_tracked");
  dict["something"] = dict.at("bn.running_mean");

  Model model;
  const std::vector<float> before = model.all_values();
  EXPECT_EQ(testing::error_of([&] { load_state_dict(model.store, dict, "f.safetensors"); }),
            "f.safetensors does not fit this model; nothing was loaded."
            "\n  missing: 'conv.bias' (did you mean 'conv.bais'?)"
            "\n  missing: 'bn.num_batches_tracked'"
            "\n  unexpected: 'conv.bais' (did you mean 'conv.bias'?)"
            "\n  unexpected: 'something'"
            "\n  conv.weight: the file has [2, 3, 4, 5], the model needs [5, 4, 2, 3]"
            "\n  fc.weight: the file has [3, 2], the model needs [2, 3]");
  EXPECT_EQ(model.all_values(), before);
}

TEST(StateDictTest, LongListsEndInACount) {
  StateDict dict = state_dict(Model().store);
  for (int i = 0; i < 1000; ++i) {
    dict[fmt::format("layer{}.very_other_name", i)] = dict.at("bn.running_mean");
  }
  Model model;
  expect_error([&] { load_state_dict(model.store, dict, "file"); }, "unexpected: 990 more");
}

TEST(StateDictTest, FloatCounterIsAcceptedForAnIntegerBuffer) {
  StateDict dict = state_dict(Model().store);
  dict["bn.num_batches_tracked"] = {Tensor::full({}, 5.0F), Dtype::kF32};
  Model model;
  load_state_dict(model.store, dict, "file");
  EXPECT_EQ(model.batches.value().values()[0], 5.0F);
}

TEST(StateDictTest, OptimizerStateComesBackUnderTheParametersNames) {
  Model model;
  const auto elements = static_cast<std::int64_t>(model.store.values().size());
  optim::Adam adam(elements);
  for (auto& state : adam.state()) {
    std::iota(state.values.values().begin(), state.values.values().end(), 100.0F);
  }
  const StateDict dict = optimizer_state_dict(model.store, adam.state());
  EXPECT_EQ(dict.size(), 6U);
  EXPECT_EQ(dict.at("fc.weight.exp_avg").values.shape(), (Shape{2, 3}));
  EXPECT_EQ(dict.at("fc.weight.exp_avg").values.values()[1],
            static_cast<float>(100 + model.linear.offset() + 2));
  EXPECT_TRUE(dict.contains("conv.weight.exp_avg_sq"));

  optim::Adam other(elements);
  load_optimizer_state_dict(model.store, other.state(), dict, "file");
  EXPECT_EQ(
      optimizer_state_dict(model.store, other.state()).at("conv.weight.exp_avg").values.values()[7],
      dict.at("conv.weight.exp_avg").values.values()[7]);

  optim::Sgd sgd(elements, {.momentum = 0.9});
  expect_error([&] { load_optimizer_state_dict(model.store, sgd.state(), dict, "file"); },
               "missing: 'conv.weight.momentum_buffer'");
  optim::Adam part(elements - 16);
  expect_error([&] { optimizer_state_dict(model.store, part.state()); }, "exp_avg has");
  EXPECT_TRUE(optimizer_state_dict(model.store, optim::Sgd(elements).state()).empty());
}

}  // namespace
}  // namespace convoy::io
