#include "core/nn/max_pool2d.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/check.h"
#include "tests/support/gradient_check.h"
#include "tests/support/layer_run.h"

namespace convoy::nn {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::LayerRun;
using testing::run_layer;
using ::testing::ThrowsMessage;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

Tensor image(Shape shape, std::vector<float> values) {
  return Tensor::of(shape, values);
}

TEST(MaxPool2dTest, TakesTheLargestAndSendsItTheGradient) {
  MaxPool2d pool({.kernel_size = 2});
  const LayerRun run = run_layer(pool,
                                 image({1, 2, 5, 1}, {1, 2, 8, 4, 9,  //
                                                      3, 0, 6, 7, 9}),
                                 {.grad_output = image({1, 1, 2, 1}, {10, 20})});
  EXPECT_THAT(run.output, ElementsAre(3, 8));
  EXPECT_THAT(run.input_gradient, ElementsAre(0, 0, 20, 0, 0, 10, 0, 0, 0, 0));
}

TEST(MaxPool2dTest, OfEqualValuesTheFirstWins) {
  MaxPool2d pool({.kernel_size = 2});
  EXPECT_THAT(run_layer(pool, image({1, 2, 2, 1}, {1, 2, 2, 0})).input_gradient,
              ElementsAre(0, 1, 0, 0));
  EXPECT_THAT(run_layer(pool, image({1, 2, 2, 1}, {-kInfinity, -kInfinity, -kInfinity, -kInfinity}))
                  .input_gradient,
              ElementsAre(1, 0, 0, 0));
}

TEST(MaxPool2dTest, NanCountsAsTheLargestAndTheLastNanWins) {
  MaxPool2d pool({.kernel_size = 2});
  const LayerRun run = run_layer(pool, image({1, 2, 2, 1}, {kNan, 2, kNan, 9}));
  EXPECT_TRUE(std::isnan(run.output[0]));
  EXPECT_THAT(run.input_gradient, ElementsAre(0, 0, 1, 0));
}

TEST(MaxPool2dTest, WindowWithNothingOfTheImageGivesMinusInfinityAndNoGradient) {
  MaxPool2d pool({.kernel_size = 2, .stride = 2, .padding = 1, .dilation = 3, .ceil_mode = true});
  const LayerRun run = run_layer(pool, image({1, 1, 1, 1}, {5}));
  EXPECT_THAT(run.output, ElementsAre(-kInfinity));
  EXPECT_THAT(run.input_gradient, ElementsAre(0));
}

// Sizes printed by torch.nn.MaxPool2d.
TEST(MaxPool2dTest, OutputSizesAreThoseOfPyTorch) {
  const auto sizes = [](MaxPool2dOptions options, std::int64_t h, std::int64_t w) {
    const Shape y = MaxPool2d(options).output_shape({3, h, w, 2});
    return std::pair(y.h(), y.w());
  };
  using Size = std::pair<std::int64_t, std::int64_t>;
  EXPECT_EQ(sizes({.kernel_size = 2, .stride = 2, .padding = 1}, 7, 8), Size(4, 5));
  EXPECT_EQ(sizes({.kernel_size = 3, .stride = 2}, 6, 7), Size(2, 3));
  EXPECT_EQ(sizes({.kernel_size = 3, .stride = 2, .ceil_mode = true}, 6, 7), Size(3, 3));
  // The fourth window along w would begin beyond the image and its padding.
  EXPECT_EQ(sizes({.kernel_size = 2, .stride = 3, .padding = 1, .ceil_mode = true}, 5, 8),
            Size(2, 3));
  EXPECT_EQ(
      sizes({.kernel_size = {2, 3}, .stride = Size2{1, 2}, .padding = {1, 0}, .dilation = 2}, 5, 7),
      Size(5, 2));
  EXPECT_EQ(sizes({.kernel_size = 8, .ceil_mode = true}, 5, 7), Size(1, 1));
}

TEST(MaxPool2dTest, DescribesItselfAsPyTorchDoes) {
  EXPECT_EQ(MaxPool2d({.kernel_size = 2}).describe(),
            "MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)");
  EXPECT_EQ(MaxPool2d({.kernel_size = {2, 3},
                       .stride = Size2{1, 2},
                       .padding = {1, 0},
                       .dilation = 2,
                       .ceil_mode = true})
                .describe(),
            "MaxPool2d(kernel_size=(2, 3), stride=(1, 2), padding=(1, 0), dilation=2, "
            "ceil_mode=True)");
}

TEST(MaxPool2dTest, RefusesBadWindowsWithTheNumbers) {
  const auto refusal = [](MaxPool2dOptions options) {
    return [options] { MaxPool2d pool(options); };
  };
  EXPECT_THAT(refusal({}), ThrowsMessage<Error>(HasSubstr("kernel_size (0, 0)")));
  EXPECT_THAT(refusal({.kernel_size = 2, .stride = Size2{1, 0}}),
              ThrowsMessage<Error>(HasSubstr("stride (1, 0)")));
  EXPECT_THAT(refusal({.kernel_size = 2, .dilation = {0, 1}}),
              ThrowsMessage<Error>(HasSubstr("dilation (0, 1)")));
  EXPECT_THAT(refusal({.kernel_size = 3, .padding = -1}),
              ThrowsMessage<Error>(HasSubstr("padding (-1, -1)")));
  EXPECT_THAT(
      refusal({.kernel_size = 3, .padding = {1, 2}}),
      ThrowsMessage<Error>(HasSubstr("padding (1, 2) must be at most half of kernel_size (3, 3)")));
  EXPECT_THAT(refusal({.kernel_size = std::int64_t{1} << 31}),
              ThrowsMessage<Error>(HasSubstr("kernel_size (2147483648, 2147483648)")));
  EXPECT_THAT(refusal({.kernel_size = 65536}),
              ThrowsMessage<Error>(HasSubstr("kernel_size (65536, 65536) has more than")));
}

TEST(MaxPool2dTest, RefusesInputsThatDoNotFitWithTheNumbers) {
  MaxPool2d pool({.kernel_size = 8});
  Tape tape;
  EXPECT_THAT(
      [&] {
        pool.forward(tape, Tensor({2, 9, 7, 3}));
      },
      ThrowsMessage<Error>(HasSubstr("input [2, 3, 9, 7] gives output size 1x0")));
  EXPECT_THAT(
      [&] {
        pool.forward(tape, Tensor({2, 9}));
      },
      ThrowsMessage<Error>(HasSubstr("got [2, 9]")));
  EXPECT_THAT(
      [&] {
        pool.output_shape({2, 9, 9, 0});
      },
      ThrowsMessage<Error>(HasSubstr("got [2, 0, 9, 9]")));
}

TEST(MaxPool2dTest, EmptyBatchGivesAnEmptyOutput) {
  MaxPool2d pool({.kernel_size = 2});
  EXPECT_EQ(run_layer(pool, Tensor({0, 4, 4, 3})).shape, (Shape{0, 2, 2, 3}));
}

TEST(MaxPool2dTest, EvaluationLeavesNothingOnTheTape) {
  MaxPool2d pool({.kernel_size = 2});
  Tape tape = Tape::evaluation();
  const Variable y = pool.forward(tape, image({1, 2, 2, 1}, {1, 4, 2, 3}));
  EXPECT_THAT(testing::copy_of(y.value()), ElementsAre(4));
  EXPECT_FALSE(y.requires_grad());
}

// Straight from the definition, one element at a time.
LayerRun pooled_by_definition(const MaxPool2dOptions& o, const Tensor& x, const Tensor& dy) {
  const Shape& in = x.shape();
  const Shape& out = dy.shape();
  const Size2 stride = o.stride.value_or(o.kernel_size);
  LayerRun run{.shape = out,
               .output = {},
               .input_gradient = std::vector<float>(x.values().size()),
               .parameter_gradients = {}};
  for (std::int64_t i = 0; i < dy.elements(); ++i) {
    const std::int64_t c = i % out.c(), q = i / out.c() % out.w();
    const std::int64_t p = i / out.c() / out.w() % out.h(), n = i / out.c() / out.w() / out.h();
    float best = -kInfinity;
    std::int64_t winner = -1;
    for (std::int64_t r = 0; r < o.kernel_size.h; ++r) {
      for (std::int64_t s = 0; s < o.kernel_size.w; ++s) {
        const std::int64_t h = p * stride.h - o.padding.h + r * o.dilation.h;
        const std::int64_t w = q * stride.w - o.padding.w + s * o.dilation.w;
        if (h < 0 || h >= in.h() || w < 0 || w >= in.w()) {
          continue;
        }
        const std::int64_t at = ((n * in.h() + h) * in.w() + w) * in.c() + c;
        if (winner < 0 || x.data()[at] > best) {
          best = x.data()[at];
          winner = at;
        }
      }
    }
    run.output.push_back(best);
    if (winner >= 0) {
      run.input_gradient[static_cast<std::size_t>(winner)] += dy.data()[i];
    }
  }
  return run;
}

class MaxPool2dWindowsTest : public ::testing::TestWithParam<MaxPool2dOptions> {};

// Small whole numbers: full of equal values, and sums are exact in any order.
TEST_P(MaxPool2dWindowsTest, AgreesWithTheDefinitionForAnyNumberOfChannels) {
  for (const std::int64_t channels : {1, 3, 4, 6, 8, 13, 16, 20, 35}) {
    Tensor x = testing::random_tensor({2, 9, 8, channels});
    std::ranges::for_each(x.values(), [](float& value) { value = std::round(2 * value); });
    MaxPool2d pool(GetParam());
    Tensor dy = testing::random_tensor(pool.output_shape(x.shape()), 3);
    std::ranges::for_each(dy.values(), [](float& value) { value = std::round(9 * value); });
    EXPECT_TRUE(run_layer(pool, x, {.grad_output = dy}) == pooled_by_definition(GetParam(), x, dy))
        << channels << " channels, " << pool.describe();
  }
}

TEST_P(MaxPool2dWindowsTest, BitsDoNotDependOnThreads) {
  MaxPool2d pool(GetParam());
  testing::expect_bits_do_not_depend_on_threads(pool, {3, 9, 8, 20});
}

INSTANTIATE_TEST_SUITE_P(
    Windows, MaxPool2dWindowsTest,
    ::testing::Values(
        MaxPool2dOptions{.kernel_size = 2}, MaxPool2dOptions{.kernel_size = 2, .padding = 1},
        MaxPool2dOptions{.kernel_size = {3, 2}, .stride = Size2{2, 1}, .padding = {1, 0}},
        MaxPool2dOptions{.kernel_size = 2, .stride = 3, .padding = 1, .ceil_mode = true},
        MaxPool2dOptions{.kernel_size = 3, .stride = 1, .padding = 1, .dilation = {2, 3}},
        MaxPool2dOptions{.kernel_size = 3, .stride = 4, .dilation = {1, 3}, .ceil_mode = true},
        // More places than a byte can name.
        MaxPool2dOptions{.kernel_size = 17, .stride = 2, .padding = 8}));

TEST(MaxPool2dTest, GradientMatchesDifferences) {
  MaxPool2d tiled({.kernel_size = 2, .padding = 1});
  testing::expect_gradients(tiled, {.input = {2, 5, 4, 3}});
  MaxPool2d overlapping({.kernel_size = 3, .stride = Size2{1, 2}, .ceil_mode = true});
  testing::expect_gradients(overlapping, {.input = {2, 5, 4, 3}});
}

}  // namespace
}  // namespace convoy::nn
