#include "core/nn/avg_pool2d.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

constexpr std::array<float, 9> kImage = {1, 2, 3, 4, 5, 6, 7, 8, 9};

LayerRun run_on_image(AvgPool2dOptions options) {
  AvgPool2d pool(options);
  return run_layer(pool, Tensor::of({1, 3, 3, 1}, kImage));
}

TEST(AvgPool2dTest, TakesTheMeanAndSharesTheGradient) {
  const LayerRun run = run_on_image({.kernel_size = 2, .stride = 1});
  EXPECT_THAT(run.output, ElementsAre(3, 4, 6, 7));
  EXPECT_THAT(run.input_gradient,
              ElementsAre(0.25F, 0.5F, 0.25F, 0.5F, 1, 0.5F, 0.25F, 0.5F, 0.25F));
}

TEST(AvgPool2dTest, PaddingCountsUnlessToldOtherwise) {
  EXPECT_THAT(run_on_image({.kernel_size = 2, .padding = 1}).output,
              ElementsAre(0.25F, 1.25F, 2.75F, 7));
  EXPECT_THAT(run_on_image({.kernel_size = 2, .padding = 1, .count_include_pad = false}).output,
              ElementsAre(1, 2.5F, 5.5F, 7));
}

// A window that ceil mode lets reach past image and padding divides by what lies within the two.
TEST(AvgPool2dTest, CeilModeDoesNotCountWhatLiesBeyondThePadding) {
  EXPECT_THAT(run_on_image({.kernel_size = 2, .ceil_mode = true}).output,
              ElementsAre(3, 4.5F, 7.5F, 9));
}

TEST(AvgPool2dTest, DivisorOverrideDividesEveryWindow) {
  EXPECT_THAT(run_on_image({.kernel_size = 2, .padding = 1, .divisor_override = -2}).output,
              ElementsAre(-0.5F, -2.5F, -5.5F, -14));
}

TEST(AvgPool2dTest, DescribesItselfAsPyTorchDoes) {
  EXPECT_EQ(AvgPool2d({.kernel_size = 2}).describe(),
            "AvgPool2d(kernel_size=2, stride=2, padding=0)");
  EXPECT_EQ(AvgPool2d({.kernel_size = {2, 3}, .stride = 2, .padding = {1, 0}}).describe(),
            "AvgPool2d(kernel_size=(2, 3), stride=2, padding=(1, 0))");
}

TEST(AvgPool2dTest, RefusesWithTheNumbers) {
  const auto refusal = [](AvgPool2dOptions options) {
    return [options] { AvgPool2d(options).output_shape({2, 3, 9, 4}); };
  };
  EXPECT_THAT(
      refusal({.kernel_size = 3, .padding = 2}),
      ThrowsMessage<Error>(HasSubstr("padding (2, 2) must be at most half of kernel_size (3, 3)")));
  EXPECT_THAT(refusal({.kernel_size = 2, .divisor_override = 0}),
              ThrowsMessage<Error>(HasSubstr("divisor_override")));
  EXPECT_THAT(refusal({.kernel_size = 4}),
              ThrowsMessage<Error>(HasSubstr("input [2, 4, 3, 9] gives output size 0x2")));
}

TEST(AvgPool2dTest, EmptyBatchGivesAnEmptyOutput) {
  AvgPool2d pool({.kernel_size = 2});
  EXPECT_EQ(run_layer(pool, Tensor({0, 4, 4, 3})).shape, (Shape{0, 2, 2, 3}));
}

class AvgPool2dWindowsTest : public ::testing::TestWithParam<AvgPool2dOptions> {};

TEST_P(AvgPool2dWindowsTest, GradientMatchesDifferences) {
  AvgPool2d pool(GetParam());
  testing::expect_gradients(pool, {.input = {2, 5, 7, 3}});
}

TEST_P(AvgPool2dWindowsTest, BitsDoNotDependOnThreads) {
  AvgPool2d pool(GetParam());
  testing::expect_bits_do_not_depend_on_threads(pool, {3, 9, 8, 20});
}

INSTANTIATE_TEST_SUITE_P(
    Windows, AvgPool2dWindowsTest,
    ::testing::Values(AvgPool2dOptions{.kernel_size = 2},
                      AvgPool2dOptions{.kernel_size = {3, 2},
                                       .stride = Size2{1, 2},
                                       .padding = {1, 0},
                                       .ceil_mode = true},
                      AvgPool2dOptions{.kernel_size = 3,
                                       .stride = 2,
                                       .padding = 1,
                                       .ceil_mode = true,
                                       .count_include_pad = false},
                      AvgPool2dOptions{.kernel_size = 2, .stride = 3, .divisor_override = 5}));

}  // namespace
}  // namespace convoy::nn
