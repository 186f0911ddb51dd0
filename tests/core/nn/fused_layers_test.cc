// A convolution that takes over the layers after it gives what the layers give one by one: outputs
// with the same bits, gradients too but for the order of adding behind a pooling.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/blis/bf16.h"
#include "core/nn/conv2d.h"
#include "core/nn/max_pool2d.h"
#include "core/nn/relu.h"
#include "core/nn/sequential.h"
#include "tests/support/layer_run.h"

namespace convoy::nn {
namespace {

// Runs its layers one by one.
class OneByOne : public Module {
 public:
  explicit OneByOne(Sequential& layers) : layers_(layers) { register_module("", layers); }
  Variable forward(Tape& tape, const Variable& x) override {
    Variable y = x;
    for (const Sequential::Layer& layer : layers_.layers()) {
      y = layer.module->forward(tape, y);
    }
    return y;
  }
  Shape output_shape(const Shape& x) const override { return layers_.output_shape(x); }
  std::string describe() const override { return "OneByOne"; }

 private:
  Sequential& layers_;
};

struct Case {
  Conv2dOptions conv;
  bool relu;
  std::optional<MaxPool2dOptions> pool;
  Shape input;
};

void add_layers(Sequential& model, const Case& t) {
  model.add("conv", std::make_unique<Conv2d>(t.conv));
  if (t.relu) {
    model.add("relu", std::make_unique<ReLU>());
  }
  if (t.pool) {
    model.add("pool", std::make_unique<MaxPool2d>(*t.pool));
  }
}

void expect_near(const std::vector<float>& got, const std::vector<float>& wanted) {
  ASSERT_EQ(got.size(), wanted.size());
  float largest = 0;
  for (const float value : wanted) {
    largest = std::max(largest, std::abs(value));
  }
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_LE(std::abs(got[i] - wanted[i]), 1e-5F * largest) << "element " << i;
  }
}

class FusedLayersTest : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (GetParam().conv.precision == Precision::kBfloat16 && !blis::bf16_supported()) {
      GTEST_SKIP() << "needs AVX512-BF16";
    }
    add_layers(model_, GetParam());
  }
  void expect_the_same(const Tensor& x) {
    OneByOne one_by_one(model_);
    const ParameterStore store(model_.named_parameters(), 0);
    const testing::LayerRunOptions options{
        .grad_output = testing::random_tensor(model_.output_shape(x.shape()), 7)};
    const testing::LayerRun fused = testing::run_layer(model_, x, options);
    const testing::LayerRun layers = testing::run_layer(one_by_one, x, options);
    EXPECT_EQ(fused.output, layers.output);
    if (!GetParam().pool) {
      EXPECT_EQ(fused, layers);
    }
    expect_near(fused.input_gradient, layers.input_gradient);
    for (std::size_t i = 0; i < layers.parameter_gradients.size(); ++i) {
      expect_near(fused.parameter_gradients[i], layers.parameter_gradients[i]);
    }
  }
  Sequential model_;
};

TEST_P(FusedLayersTest, AreAsTheLayersOneByOne) {
  expect_the_same(testing::random_tensor(GetParam().input));
}

TEST_P(FusedLayersTest, AreAsTheyForZeros) {
  expect_the_same(Tensor::zeros(GetParam().input));
}

TEST_P(FusedLayersTest, BitsDoNotDependOnThreads) {
  testing::expect_bits_do_not_depend_on_threads(model_, GetParam().input);
}

TEST_P(FusedLayersTest, AreOneNodeAndStoreOneOutput) {
  const ParameterStore store(model_.named_parameters(), 0);
  const Tensor x = testing::random_tensor(GetParam().input);
  std::span<Module* const> rest;
  std::vector<Module*> after;
  for (const Sequential::Layer& layer : model_.layers()) {
    after.push_back(layer.module.get());
  }
  rest = std::span(after).subspan(1);
  Tape tape;
  const Variable y = after.front()->forward_through(tape, x, rest);
  EXPECT_TRUE(rest.empty());
  EXPECT_EQ(y.shape(), model_.output_shape(x.shape()));
}

const Conv2dOptions kDirect = {.in_channels = 3, .out_channels = 5, .kernel_size = 3, .padding = 1};
const Conv2dOptions kStrided = {
    .in_channels = 4, .out_channels = 6, .kernel_size = 3, .stride = 2, .padding = 1, .groups = 2};
const Conv2dOptions kWinograd = {
    .in_channels = 16, .out_channels = 20, .kernel_size = 3, .padding = 1};
// Neither gradient visits winners, and images that belong together in the weight's are more than
// the cache would have at once.
const Conv2dOptions kWinogradPixels = {
    .in_channels = 20, .out_channels = 128, .kernel_size = 3, .padding = 1};
// Both ways round the same numbers, so they differ no more than in float32.
const Conv2dOptions kBf16 = {.in_channels = 16,
                             .out_channels = 40,
                             .kernel_size = 3,
                             .padding = 1,
                             .precision = Precision::kBfloat16};

INSTANTIATE_TEST_SUITE_P(
    Layers, FusedLayersTest,
    ::testing::Values(
        Case{kDirect, true, {}, {12, 9, 8, 3}},
        Case{kDirect, true, MaxPool2dOptions{.kernel_size = 2}, {12, 9, 8, 3}},
        Case{kDirect, true, MaxPool2dOptions{.kernel_size = 2}, {1, 9, 8, 3}},
        Case{kDirect, false, MaxPool2dOptions{.kernel_size = 2}, {12, 9, 8, 3}},
        Case{kStrided,
             true,
             MaxPool2dOptions{.kernel_size = 3, .stride = 2, .padding = 1},
             {12, 11, 12, 4}},
        Case{kWinograd, true, {}, {13, 9, 8, 16}},
        Case{kWinograd, true, MaxPool2dOptions{.kernel_size = 2}, {13, 14, 14, 16}},
        Case{kWinograd, true, MaxPool2dOptions{.kernel_size = 2, .padding = 1}, {13, 7, 7, 16}},
        Case{kWinograd,
             false,
             MaxPool2dOptions{.kernel_size = 3, .stride = 2, .padding = 1, .ceil_mode = true},
             {12, 8, 9, 16}},
        Case{kWinogradPixels, true, MaxPool2dOptions{.kernel_size = 2}, {13, 14, 14, 20}},
        Case{kBf16, true, {}, {13, 9, 8, 16}},
        Case{kBf16, true, MaxPool2dOptions{.kernel_size = 2}, {13, 14, 14, 16}},
        Case{kBf16,
             false,
             MaxPool2dOptions{.kernel_size = 3, .stride = 2, .padding = 1},
             {12, 8, 9, 16}}));

TEST(FusedLayersTest, PassNaNAndInfinityAsTheLayersDo) {
  Sequential model;
  add_layers(model, {kDirect, true, MaxPool2dOptions{.kernel_size = 2}, {}});
  OneByOne one_by_one(model);
  const ParameterStore store(model.named_parameters(), 0);
  Tensor x = testing::random_tensor({12, 8, 8, 3});
  x.values()[40] = std::numeric_limits<float>::quiet_NaN();
  x.values()[700] = std::numeric_limits<float>::infinity();
  const testing::LayerRun fused = testing::run_layer(model, x);
  const testing::LayerRun layers = testing::run_layer(one_by_one, x);
  const auto bits = [](const std::vector<float>& values) {
    std::vector<std::uint32_t> all(values.size());
    std::memcpy(all.data(), values.data(), values.size() * sizeof(float));
    return all;
  };
  EXPECT_EQ(bits(fused.output), bits(layers.output));
  EXPECT_EQ(bits(fused.input_gradient), bits(layers.input_gradient));
}

}  // namespace
}  // namespace convoy::nn
