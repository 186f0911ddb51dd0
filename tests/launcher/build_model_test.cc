#include "launcher/build_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/base/check.h"
#include "core/nn/avg_pool2d.h"
#include "core/nn/batch_norm2d.h"
#include "core/nn/conv2d.h"
#include "core/nn/dropout.h"
#include "core/nn/max_pool2d.h"
#include "launcher/builtin_models.h"

namespace convoy::launcher {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const Shape mnist = {1, 28, 28, 1};

std::unique_ptr<nn::Sequential> build(std::string_view layers, const Shape& batch = mnist,
                                      int classes = 10, const BuildOptions& options = {}) {
  const ModelSpec spec = parse_model(fmt::format("name: 'm'\n{}", layers), "net.textproto");
  return build_model(spec, batch, classes, options);
}

std::string refusal(std::string_view layers, const Shape& batch = mnist, int classes = 10,
                    const BuildOptions& options = {}) {
  try {
    build(layers, batch, classes, options);
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

// The model's first layer, which has to be of type Layer.
template <typename Layer>
const Layer& first(nn::Sequential& model) {
  return dynamic_cast<const Layer&>(*model.layers().front().module);
}

// Makes ten numbers of any image.
constexpr const char* kHead =
    "layer { name: 'f' flatten {} } layer { name: 'fc' linear { out_features: 10 } }";

TEST(BuildModelTest, PrecisionIsEveryLayersThatHasIt) {
  const std::string_view layers = R"(
      layer { name: "c" conv2d { out_channels: 4 kernel_size: 3 } }
      layer { name: "d" conv2d { out_channels: 4 kernel_size: 3 } }
      layer { name: "f" flatten {} }
      layer { name: "l" linear { out_features: 10 } })";
  EXPECT_THAT(build(layers)->describe(), Not(HasSubstr("bf16")));
  const BuildOptions bf16{.precision = nn::Precision::kBfloat16};
  if (!blis::bf16_supported()) {
    EXPECT_THAT(refusal(layers, mnist, 10, bf16), StartsWith("precision bf16"));
    return;
  }
  const auto model = build(layers, mnist, 10, bf16);
  std::vector<bool> has;
  for (const nn::Sequential::Layer& layer : model->layers()) {
    has.push_back(layer.module->describe().find("precision=bf16") != std::string::npos);
  }
  EXPECT_THAT(has, ElementsAre(false, true, false, true)) << "one channel is no even number";
}

TEST(BuildModelTest, TheExampleOfTheDesignIsBuilt) {
  const auto model = build(R"(
  layer { name: "c1" conv2d { out_channels: 8 kernel_size: 3 kernel_size: 5 stride: 2 padding: 1 padding: 2
                              dilation: 1 groups: 1 bias: true padding_mode: REFLECT } }
  layer { name: "n1" batch_norm2d {} }       layer { name: "r1" relu {} }
  layer { name: "p1" max_pool2d { kernel_size: 2 stride: 2 padding: 1 } }
  layer { name: "d1" dropout { p: 0.1 } }    layer { name: "f" flatten {} }
  layer { name: "fc" linear { out_features: 10 bias: true init: XAVIER_UNIFORM } })",
                           {32, 28, 28, 3});
  EXPECT_EQ(
      first<nn::Conv2d>(*model).describe(),
      "Conv2d(3, 8, kernel_size=(3, 5), stride=(2, 2), padding=(1, 2), padding_mode=reflect)");
  EXPECT_EQ(model->output_shape({32, 28, 28, 3}), (Shape{32, 10}));
}

TEST(BuildModelTest, TheTutorialHasItsShapesAndKeys) {
  const auto model = build_model(load_model("tutorial"), {32, 28, 28, 1}, 10);
  std::vector<std::string> keys;
  std::int64_t parameters = 0;
  for (const NamedParameter& named : model->named_parameters()) {
    keys.push_back(named.name);
    parameters += named.parameter->shape().elements();
  }
  EXPECT_THAT(keys, ElementsAre("layer1.0.weight", "layer1.0.bias", "layer2.0.weight",
                                "layer2.0.bias", "layer3.0.weight", "layer3.0.bias", "fc1.weight",
                                "fc1.bias", "fc2.weight", "fc2.bias"));
  EXPECT_EQ(parameters, 320 + 18496 + 73856 + (2048 * 625 + 625) + (625 * 10 + 10));
  Shape x = {32, 28, 28, 1};
  for (const nn::Sequential::Layer& layer : model->layers()) {
    x = layer.module->output_shape(x);
    if (layer.name == "layer3.3") {
      EXPECT_EQ(x, (Shape{32, 4, 4, 128}));
    }
  }
}

// The tutorial draws fc1 and fc2 by Xavier's rule and leaves the rest to PyTorch.
TEST(BuildModelTest, InitIsTheOneAskedFor) {
  const auto model = build_model(load_model("tutorial"), {32, 28, 28, 1}, 10);
  const ParameterStore store(model->named_parameters(), 1);
  const auto largest = [&](const char* name) {
    float most = 0;
    for (const float value : store.find(name)->value().values()) {
      most = std::max(most, std::abs(value));
    }
    return most;
  };
  EXPECT_NEAR(largest("fc1.weight"), std::sqrt(6.0 / (2048 + 625)), 1e-4);
  EXPECT_NEAR(largest("fc2.weight"), std::sqrt(6.0 / (625 + 10)), 1e-3);
  EXPECT_NEAR(largest("fc1.bias"), 1 / std::sqrt(2048.0), 1e-3);
  EXPECT_NEAR(largest("layer3.0.weight"), 1 / std::sqrt(64.0 * 9), 1e-4);
}

TEST(BuildModelTest, EveryBuiltinModelRunsOnMnistsShapes) {
  const Shape batch = {2, 28, 28, 1};
  for (const BuiltinModel& builtin : builtin_models()) {
    const auto model = build_model(load_model(std::string(builtin.name)), batch, 10);
    const ParameterStore store(model->named_parameters(), 1);
    Tape tape;
    const Variable y = model->forward(tape, Tensor::full(batch, 0.5F));
    EXPECT_EQ(y.shape(), (Shape{2, 10})) << builtin.name;
    tape.backward(y);
  }
}

TEST(BuildModelTest, AbsentFieldsHavePyTorchsDefaults) {
  const auto conv = build(
      fmt::format("layer {{ name: 'c' conv2d {{ out_channels: 2 kernel_size: 3 }} }} {}", kHead));
  EXPECT_EQ(first<nn::Conv2d>(*conv).describe(), "Conv2d(1, 2, kernel_size=(3, 3), stride=(1, 1))");
  const auto dropout = build(fmt::format("layer {{ name: 'd' dropout {{}} }} {}", kHead));
  EXPECT_EQ(first<nn::Dropout>(*dropout).options().p, 0.5);
  const auto norm = build(fmt::format("layer {{ name: 'n' batch_norm2d {{}} }} {}", kHead));
  EXPECT_EQ(first<nn::BatchNorm2d>(*norm).options().eps, 1e-5);
  EXPECT_EQ(first<nn::BatchNorm2d>(*norm).options().momentum, 0.1);
  EXPECT_TRUE(first<nn::BatchNorm2d>(*norm).options().affine);
  EXPECT_TRUE(first<nn::BatchNorm2d>(*norm).options().track_running_stats);
  const auto pool =
      build(fmt::format("layer {{ name: 'p' max_pool2d {{ kernel_size: 2 }} }} {}", kHead));
  EXPECT_EQ(pool->layers()[0].module->output_shape(mnist), (Shape{1, 14, 14, 1}));
  const auto mean =
      build(fmt::format("layer {{ name: 'p' avg_pool2d {{ kernel_size: 2 }} }} {}", kHead));
  EXPECT_TRUE(first<nn::AvgPool2d>(*mean).options().count_include_pad);
  EXPECT_EQ(first<nn::AvgPool2d>(*mean).options().divisor_override, std::nullopt);
}

TEST(BuildModelTest, EveryFieldReachesItsLayer) {
  const auto conv =
      build(fmt::format(
                "layer {{ name: 'c' conv2d {{ out_channels: 6 kernel_size: [2, 3] dilation: [3, 1] "
                "groups: 3 bias: false padding: SAME padding_mode: CIRCULAR }} }} {}",
                kHead),
            {1, 28, 28, 3});
  EXPECT_EQ(first<nn::Conv2d>(*conv).describe(),
            "Conv2d(3, 6, kernel_size=(2, 3), stride=(1, 1), padding=same, dilation=(3, 1), "
            "groups=3, bias=False, padding_mode=circular)");
  const auto max = build(fmt::format(
      "layer {{ name: 'p' max_pool2d {{ kernel_size: [3, 4] stride: [2, 1] padding: [1, 2] "
      "dilation: [1, 2] ceil_mode: true }} }} {}",
      kHead));
  const nn::MaxPool2dOptions& m = first<nn::MaxPool2d>(*max).options();
  EXPECT_EQ(m.kernel_size, nn::Size2(3, 4));
  EXPECT_EQ(m.stride, nn::Size2(2, 1));
  EXPECT_EQ(m.padding, nn::Size2(1, 2));
  EXPECT_EQ(m.dilation, nn::Size2(1, 2));
  EXPECT_TRUE(m.ceil_mode);
  const auto mean = build(fmt::format(
      "layer {{ name: 'p' avg_pool2d {{ kernel_size: 3 stride: 2 padding: 1 ceil_mode: true "
      "count_include_pad: false divisor_override: 7 }} }} {}",
      kHead));
  const nn::AvgPool2dOptions& a = first<nn::AvgPool2d>(*mean).options();
  EXPECT_EQ(a.stride, nn::Size2(2));
  EXPECT_EQ(a.padding, nn::Size2(1));
  EXPECT_TRUE(a.ceil_mode);
  EXPECT_FALSE(a.count_include_pad);
  EXPECT_EQ(a.divisor_override, 7);
  const auto norm = build(fmt::format(
      "layer {{ name: 'n' batch_norm2d {{ eps: 0.5 cumulative_average: true affine: false "
      "track_running_stats: false }} }} {}",
      kHead));
  const nn::BatchNorm2dOptions& n = first<nn::BatchNorm2d>(*norm).options();
  EXPECT_EQ(n.eps, 0.5);
  EXPECT_EQ(n.momentum, std::nullopt);
  EXPECT_FALSE(n.affine);
  EXPECT_FALSE(n.track_running_stats);
}

TEST(BuildModelTest, EachDropoutHasItsOwnRandomNumbers) {
  const auto model = build(fmt::format(
      "layer {{ name: 'a' dropout {{}} }} layer {{ name: 'b' dropout {{ p: 0.25 }} }} {}", kHead));
  const auto& a = dynamic_cast<const nn::Dropout&>(*model->layers()[0].module);
  const auto& b = dynamic_cast<const nn::Dropout&>(*model->layers()[1].module);
  EXPECT_NE(a.options().layer, b.options().layer);
  EXPECT_EQ(b.options().p, 0.25);
}

TEST(BuildModelTest, ALayerThatDoesNotFitIsNamedWithTheNumbers) {
  EXPECT_THAT(refusal("layer { name: 'c1' relu {} }\n"
                      "layer { name: 'c2' conv2d { out_channels: 1 kernel_size: 5 } }",
                      {1, 3, 3, 1}),
              AllOf(StartsWith("net.textproto:3:9: layer 'c2' (conv2d): "), HasSubstr("(3, 3)"),
                    HasSubstr("(5, 5)")));
  EXPECT_THAT(refusal("layer { name: 'c' conv2d { out_channels: 4 kernel_size: 1 groups: 3 } }"),
              AllOf(HasSubstr("layer 'c' (conv2d): "), HasSubstr("groups 3")));
  EXPECT_THAT(refusal("layer { name: 'p' max_pool2d { kernel_size: 2 padding: 2 } }"),
              StartsWith("net.textproto:2:9: layer 'p' (max_pool2d): "));
}

TEST(BuildModelTest, ImagesAndFeaturesAreNotMixedUp) {
  EXPECT_EQ(refusal("layer { name: 'fc' linear { out_features: 10 } }", {1, 28, 20, 3}),
            "net.textproto:2:9: layer 'fc' (linear): needs features, but an image [3, 28, 20] "
            "arrives: put a flatten layer before it");
  EXPECT_EQ(refusal("layer { name: 'f' flatten {} }\n"
                    "layer { name: 'c' conv2d { out_channels: 4 kernel_size: 1 } }"),
            "net.textproto:3:9: layer 'c' (conv2d): needs an image (channels, height, width), but "
            "784 features arrive");
  EXPECT_THAT(refusal("layer { name: 'f' flatten {} }\nlayer { name: 'n' batch_norm2d {} }"),
              HasSubstr("layer 'n' (batch_norm2d): needs an image"));
}

TEST(BuildModelTest, TheLastLayerMustGiveOneNumberPerClass) {
  EXPECT_EQ(refusal(kHead, mnist, 47),
            "net.textproto:2:40: layer 'fc' (linear) is the last and gives 10 features; the data "
            "has 47 classes, so it must give 47 features");
  EXPECT_THAT(refusal("layer { name: 'r' relu {} }"),
              HasSubstr("layer 'r' (relu) is the last and gives an image [1, 28, 28]; the data has "
                        "10 classes"));
}

TEST(BuildModelTest, TwoWaysOfSayingOneThingAreRefused) {
  EXPECT_THAT(refusal("layer { name: 'c' conv2d { out_channels: 1 kernel_size: 1 padding: SAME "
                      "padding: 1 } }"),
              HasSubstr("layer 'c' (conv2d): padding is SAME and a number: give one of them"));
  EXPECT_THAT(
      refusal("layer { name: 'n' batch_norm2d { momentum: 0.2 cumulative_average: true } }"),
      HasSubstr("layer 'n' (batch_norm2d): momentum = 0.2 and cumulative_average"));
}

TEST(BuildModelTest, AModelThatNeedsMoreMemoryThanThereIsIsRefusedWithTheFigures) {
  // 784 * 2^24 weights, each with a gradient and two moments.
  const std::string wide =
      "layer { name: 'f' flatten {} }\nlayer { name: 'wide' linear { out_features: 16777216 } }";
  EXPECT_THAT(refusal(wide, mnist, 10, {.memory_bytes = std::uint64_t{8} << 30}),
              AllOf(StartsWith("net.textproto:3:9: layer 'wide' (linear): "),
                    HasSubstr("196.2 GiB for parameters"), HasSubstr("this machine has 8.0 GiB")));
  // The outputs count for every image of the batch.
  const std::string tall =
      "layer { name: 'c' conv2d { out_channels: 64 kernel_size: 1 bias: false } }";
  EXPECT_THAT(refusal(tall, {1024, 28, 28, 1}, 10, {.memory_bytes = std::uint64_t{128} << 20}),
              HasSubstr("196.0 MiB for the outputs of one batch of 1024"));
}

TEST(BuildModelTest, SizesBeyondAllNumbersAreRefused) {
  const BuildOptions endless = {.memory_bytes = ~std::uint64_t{0}};
  EXPECT_THAT(
      refusal("layer { name: 'a' conv2d { out_channels: 1048576 kernel_size: 16384 padding: "
              "16384 } }\n"
              "layer { name: 'b' conv2d { out_channels: 1048576 kernel_size: 16384 } }",
              mnist, 10, endless),
      AllOf(StartsWith("net.textproto:3:9: layer 'b' (conv2d): "),
            HasSubstr("[16384, 16384, 1048576, 1048576]")));
  std::string deep;
  for (int i = 0; i < 5; ++i) {
    deep += fmt::format("layer {{ name: 'r{}' relu {{}} }}\n", i);
  }
  const Shape vast = {1, std::int64_t{1} << 30, std::int64_t{1} << 30, 1};
  EXPECT_THAT(refusal(deep, vast, 10, endless),
              HasSubstr("layer 'r3' (relu): up to this layer, training needs 16 EiB or more"));
}

}  // namespace
}  // namespace convoy::launcher
