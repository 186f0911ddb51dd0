// Layers that multiply in bf16, beside the same ones in float32.
#include "core/nn/precision.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "core/base/isa.h"
#include "core/base/parallel.h"
#include "core/data/batch.h"
#include "core/data/synthetic.h"
#include "core/nn/conv2d.h"
#include "core/nn/conv2d_bf16.h"
#include "core/nn/conv2d_geometry.h"
#include "core/nn/cross_entropy.h"
#include "core/nn/flatten.h"
#include "core/nn/linear.h"
#include "core/nn/max_pool2d.h"
#include "core/nn/relu.h"
#include "core/nn/sequential.h"
#include "core/optim/adam.h"
#include "tests/support/layer_run.h"

namespace convoy::nn {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

class PrecisionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!blis::bf16_supported()) {
      GTEST_SKIP() << "needs AVX512-BF16";
    }
  }
};

// Root mean square of the difference, relative to that of the wanted values.
double distance(const std::vector<float>& wanted, const std::vector<float>& got) {
  double difference = 0;
  double size = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    difference += std::pow(static_cast<double>(got[i]) - static_cast<double>(wanted[i]), 2);
    size += std::pow(static_cast<double>(wanted[i]), 2);
  }
  return std::sqrt(difference / size);
}

// An operand is off by 2^-9 at most, and by less than half of that in the mean: a product by 2^-9.
void expect_close(const std::vector<float>& wanted, const std::vector<float>& got,
                  const std::string& what) {
  ASSERT_EQ(wanted.size(), got.size()) << what;
  EXPECT_LT(distance(wanted, got), 1.0 / 256) << what;
  EXPECT_GT(distance(wanted, got), 1e-5) << what << ": not rounded at all?";
}

template <typename Layer, typename Options>
std::array<testing::LayerRun, 2> run_both(Options options, Shape input) {
  std::array<testing::LayerRun, 2> runs;
  for (const Precision precision : {Precision::kFloat32, Precision::kBfloat16}) {
    options.precision = precision;
    Layer layer(options);
    const ParameterStore store(layer.named_parameters(), 1);
    runs[precision == Precision::kFloat32 ? 0 : 1] =
        testing::run_layer(layer, testing::random_tensor(input, 2),
                           {.grad_output = testing::random_tensor(layer.output_shape(input), 3)});
  }
  return runs;
}

TEST_F(PrecisionTest, LinearIsCloseToFloat32InAllPasses) {
  for (const Shape& input : {Shape{32, 700}, Shape{1, 33}, Shape{15, 300}}) {
    for (const bool bias : {true, false}) {
      const auto [wanted, got] = run_both<Linear>(
          LinearOptions{.in_features = input[1], .out_features = 147, .bias = bias}, input);
      const std::string what = input.str();
      expect_close(wanted.output, got.output, what + " y");
      expect_close(wanted.input_gradient, got.input_gradient, what + " grad x");
      expect_close(wanted.parameter_gradients[0], got.parameter_gradients[0], what + " weight");
      if (bias) {
        EXPECT_EQ(wanted.parameter_gradients[1], got.parameter_gradients[1]);
      }
    }
  }
}

TEST_F(PrecisionTest, LinearOverwritesAndAddsGradientsAsInFloat32) {
  Linear linear({.in_features = 40, .out_features = 20, .precision = Precision::kBfloat16});
  ParameterStore store(linear.named_parameters(), 0);
  const Tensor x = testing::random_tensor({3, 40});
  Tape tape;
  std::vector<std::vector<float>> gradients;
  for (const int uses : {1, 2}) {
    linear.weight().grad().fill(1e9F);
    store.zero_grad();
    for (int use = 0; use < uses; ++use) {
      tape.backward(linear.forward(tape, x));
    }
    gradients.push_back(testing::copy_of(linear.weight().grad()));
  }
  for (std::size_t i = 0; i < gradients[0].size(); ++i) {
    ASSERT_NEAR(2 * gradients[0][i], gradients[1][i], 1e-5);
  }
}

TEST_F(PrecisionTest, ConvolutionIsCloseToFloat32) {
  const Conv2dOptions plain{.in_channels = 32, .out_channels = 48, .kernel_size = 3, .padding = 1};
  std::vector<Conv2dOptions> all(10, plain);
  all[1].stride = {2, 1};
  all[2].kernel_size = {5, 4};
  all[2].padding = {2, 0};
  all[3].dilation = {2, 1};
  all[3].padding = {3, 2};
  all[4].padding = Padding::same();
  all[4].kernel_size = 2;
  all[5].kernel_size = 1;
  all[5].padding = 0;
  all[5].bias = false;
  all[6].in_channels = 130;  // a kernel row's weights do not fit into the cache
  all[6].kernel_size = {2, 6};
  all[7].padding = 3;  // more than the gradient's convolution can pad
  all[8].out_channels = 5;
  all[9].in_channels = 6;
  all[9].out_channels = 10;
  for (Conv2dOptions options : all) {
    options.precision = Precision::kBfloat16;
    const Shape input = {3, 9, 11, options.in_channels};
    const auto [wanted, got] = run_both<Conv2d>(options, input);
    const std::string what = Conv2d(options).describe();
    expect_close(wanted.output, got.output, what);
    if (bf16_backward_fits(geometry(options, input))) {
      expect_close(wanted.input_gradient, got.input_gradient, what + " grad x");
      expect_close(wanted.parameter_gradients[0], got.parameter_gradients[0], what + " weight");
    } else {
      EXPECT_LT(distance(wanted.input_gradient, got.input_gradient), 1e-6) << what;
      EXPECT_LT(distance(wanted.parameter_gradients[0], got.parameter_gradients[0]), 1e-6) << what;
    }
  }
}

TEST_F(PrecisionTest, ConvolutionsBackwardPassIsInBf16WithAmxAndStrideOne) {
  Conv2dOptions options{.in_channels = 4,
                        .out_channels = 4,
                        .kernel_size = 3,
                        .padding = 2,
                        .precision = Precision::kBfloat16};
  const auto fits = [&] { return bf16_backward_fits(geometry(options, {1, 9, 9, 4})); };
  EXPECT_EQ(fits(), active_isa() == Isa::kAmx);
  options.padding = 3;
  EXPECT_FALSE(fits());
  options.padding = 2;
  options.stride = 2;
  EXPECT_FALSE(fits());
  options.stride = 1;
  options.precision = Precision::kFloat32;
  EXPECT_FALSE(fits());
}

TEST_F(PrecisionTest, LargeImagesAreCutIntoBlocks) {
  const auto [wanted, got] = run_both<Conv2d>(
      Conv2dOptions{
          .in_channels = 64, .out_channels = 8, .kernel_size = 3, .stride = {2, 1}, .padding = 1},
      {1, 61, 70, 64});
  expect_close(wanted.output, got.output, "61 x 70 pixels");
}

TEST_F(PrecisionTest, ConvolutionThatItIsNotForStaysInFloat32AndSaysSo) {
  const Conv2dOptions good{
      .in_channels = 4, .out_channels = 4, .kernel_size = 3, .precision = Precision::kBfloat16};
  EXPECT_THAT(Conv2d(good).describe(), HasSubstr("precision=bf16"));
  std::vector<Conv2dOptions> all(4, good);
  all[0].in_channels = 3;
  all[1].groups = 2;
  all[2].dilation = 2;
  all[3].padding = 1;
  all[3].padding_mode = PaddingMode::kReflect;
  for (const Conv2dOptions& options : all) {
    EXPECT_THAT(Conv2d(options).describe(), Not(HasSubstr("bf16")));
    EXPECT_EQ(Conv2d(options).options().precision, Precision::kFloat32);
  }
}

TEST_F(PrecisionTest, BitsDoNotDependOnThreads) {
  Linear linear({.in_features = 700, .out_features = 301, .precision = Precision::kBfloat16});
  testing::expect_bits_do_not_depend_on_threads(linear, {33, 700});
  Sequential model;
  model.add("conv", std::make_unique<Conv2d>(Conv2dOptions{.in_channels = 32,
                                                           .out_channels = 40,
                                                           .kernel_size = 3,
                                                           .padding = 1,
                                                           .precision = Precision::kBfloat16}));
  testing::expect_bits_do_not_depend_on_threads(model, {5, 9, 9, 32});
  model.add("relu", std::make_unique<ReLU>());
  model.add("pool", std::make_unique<MaxPool2d>(MaxPool2dOptions{.kernel_size = 2}));
  testing::expect_bits_do_not_depend_on_threads(model, {8, 9, 9, 32});
}

// Trains a small network on digits that convoy draws, and returns its accuracy on others.
double accuracy(Precision precision) {
  Sequential model;
  model.add("conv", std::make_unique<Conv2d>(
                        Conv2dOptions{.in_channels = 1, .out_channels = 8, .kernel_size = 3}));
  model.add("relu", std::make_unique<ReLU>());
  model.add("pool", std::make_unique<MaxPool2d>(MaxPool2dOptions{.kernel_size = 2}));
  model.add("conv2",
            std::make_unique<Conv2d>(Conv2dOptions{
                .in_channels = 8, .out_channels = 16, .kernel_size = 3, .precision = precision}));
  model.add("relu2", std::make_unique<ReLU>());
  model.add("pool2", std::make_unique<MaxPool2d>(MaxPool2dOptions{.kernel_size = 2}));
  model.add("flatten", std::make_unique<Flatten>());
  model.add("fc", std::make_unique<Linear>(LinearOptions{
                      .in_features = 400, .out_features = 10, .precision = precision}));
  ParameterStore store(model.named_parameters(), 1);
  optim::Adam adam(static_cast<std::int64_t>(store.values().size()));
  const auto load = [](data::Split split, std::int64_t size) {
    const data::Dataset images = data::draw_synthetic({.split = split, .size = size});
    std::vector<std::int64_t> ids(static_cast<std::size_t>(size));
    std::iota(ids.begin(), ids.end(), 0);
    data::Batch batch;
    data::BatchLoader(images, {}).load(ids, 0, batch);
    return batch;
  };
  constexpr std::int64_t kImages = 1024;
  constexpr std::int64_t kBatch = 32;
  const data::Batch train = load(data::Split::kTrain, kImages);
  Tape tape;
  for (std::int64_t step = 0; step < 200; ++step) {
    const std::int64_t first = step * kBatch % kImages;
    store.zero_grad();
    const Variable logits =
        model.forward(tape, train.images.slice(first * 28 * 28, {kBatch, 28, 28, 1}));
    tape.backward(
        cross_entropy(tape, logits,
                      std::span(train.labels).subspan(static_cast<std::size_t>(first), kBatch))
            .value);
    adam.begin_step();
    adam.update(store.values(), store.gradients(), 0, {.lr = 3e-3});
  }
  const data::Batch test = load(data::Split::kTest, 500);
  Tape evaluation = Tape::evaluation();
  const Loss loss = cross_entropy(evaluation, model.forward(evaluation, test.images), test.labels);
  return static_cast<double>(loss.correct) / 500;
}

TEST_F(PrecisionTest, TrainingReachesTheAccuracyOfFloat32) {
  const int threads = num_threads();
  set_num_threads(1);
  const double wanted = accuracy(Precision::kFloat32);
  EXPECT_GT(wanted, 0.9);
  EXPECT_NEAR(accuracy(Precision::kBfloat16), wanted, 0.02);
  set_num_threads(threads);
}

TEST(PrecisionRefusalTest, CpuWithoutItIsRefusedWithHostAndRemedy) {
  if (blis::bf16_supported()) {
    GTEST_SKIP() << "this CPU has it; the other instruction sets' runs of this test have not";
  }
  EXPECT_THAT(
      [] { Linear({.in_features = 2, .out_features = 2, .precision = Precision::kBfloat16}); },
      ThrowsMessage<Error>(HasSubstr("AVX512-BF16")));
  EXPECT_THROW(Conv2d({.in_channels = 2,
                       .out_channels = 2,
                       .kernel_size = 3,
                       .precision = Precision::kBfloat16}),
               Error);
}

}  // namespace
}  // namespace convoy::nn
