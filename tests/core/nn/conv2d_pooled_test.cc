// The backward passes that visit winners only, against the passes over every pixel.
#include "core/nn/conv2d_pooled.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/nn/conv2d_compute.h"
#include "core/nn/conv2d_passes.h"
#include "core/nn/max_pool2d.h"
#include "core/nn/max_pool2d_kernel.h"
#include "tests/support/layer_run.h"

namespace convoy::nn {
namespace {

struct Case {
  Conv2dOptions conv;
  MaxPool2dOptions pool;
  Shape input;
  bool weight;  // whether the pass over winners is for this
  bool data;
};

// A convolution with its pooling, run forward, and a gradient a third of which is zero.
class Conv2dPooledTest : public ::testing::TestWithParam<Case> {
 protected:
  Conv2dPooledTest()
      : g_(geometry(GetParam().conv, GetParam().input)),
        pool_(MaxPool2d(GetParam().pool).geometry({g_.n, g_.p, g_.q, g_.k})),
        input_(conv_input(g_, testing::random_tensor(GetParam().input))),
        weight_(testing::random_tensor({g_.r, g_.s, g_.c_per_group(), g_.k}, 2)),
        output_(conv_forward(g_, {input_, weight_, {}}, {.pool = pool_}, true)),
        gradient_(testing::random_tensor(output_.y.shape(), 3)) {
    for (float& value : gradient_.values()) {
      value = value > 0.4F ? 0.0F : value;
    }
  }

  PooledGradient pooled() const { return {g_, pool_, gradient_, output_.winners.data()}; }

  Tensor pixels() const {
    Tensor pixels({g_.n, g_.p, g_.q, g_.k});
    max_pool2d_backward_kernel()(pool_, gradient_.data(), output_.winners.data(), pixels.data(), 0,
                                 g_.n * g_.p);
    return pixels;
  }

  ConvGeometry g_;
  PoolGeometry pool_;
  Tensor input_;
  Tensor weight_;
  ConvOutput output_;
  Tensor gradient_;
};

void expect_equal_but_for_rounding(const Tensor& got, const Tensor& wanted) {
  ASSERT_EQ(got.elements(), wanted.elements());
  float largest = 0;
  float error = 0;
  for (std::size_t i = 0; i < got.values().size(); ++i) {
    largest = std::max(largest, std::abs(wanted.values()[i]));
    // Not std::max: that would drop a difference that is not a number.
    const float difference = std::abs(got.values()[i] - wanted.values()[i]);
    error = difference <= error ? error : difference;
  }
  EXPECT_GT(largest, 0);
  EXPECT_LE(error, 1e-5F * largest);
}

TEST_P(Conv2dPooledTest, TakesWhatItIsFor) {
  EXPECT_EQ(pooled_weight_fits(g_, pool_), GetParam().weight);
  EXPECT_EQ(pooled_data_fits(g_, pool_), GetParam().data);
}

TEST_P(Conv2dPooledTest, GivesTheGradientsOfAllPixels) {
  if (GetParam().weight) {
    Tensor wanted = testing::random_tensor(weight_.shape(), 4);
    Tensor got = testing::random_tensor(weight_.shape(), 4);
    ConvWeightGradient gradient(g_, wanted);
    gradient.run(input_, pixels());
    gradient.finish();
    pooled_backward_weight(pooled(), input_, got);
    expect_equal_but_for_rounding(got, wanted);
  }
  if (GetParam().data) {
    Tensor wanted({g_.n, g_.h, g_.w, g_.c});
    Tensor got = testing::random_tensor(wanted.shape(), 5);
    ConvDataGradient(g_, weight_).run(pixels(), wanted);
    pooled_backward_data(pooled(), weight_, got);
    expect_equal_but_for_rounding(got, wanted);
  }
}

Conv2dOptions conv(std::int64_t c, std::int64_t k, std::int64_t size, std::int64_t padding) {
  return {.in_channels = c, .out_channels = k, .kernel_size = size, .padding = padding};
}

Conv2dOptions strided(Conv2dOptions options, Size2 stride, Size2 dilation = 1) {
  options.stride = stride;
  options.dilation = dilation;
  return options;
}

constexpr MaxPool2dOptions kHalves = {.kernel_size = 2};
constexpr MaxPool2dOptions kPaddedHalves = {.kernel_size = 2, .padding = 1};
constexpr MaxPool2dOptions kOverlapping = {.kernel_size = 3, .stride = 2, .padding = 1};
constexpr MaxPool2dOptions kAcross = {.kernel_size = Size2(1, 5), .stride = Size2(1, 4)};

INSTANTIATE_TEST_SUITE_P(
    Layers, Conv2dPooledTest,
    ::testing::Values(
        Case{conv(32, 64, 3, 1), kHalves, {3, 14, 14, 32}, true, true},
        Case{conv(64, 128, 3, 1), kPaddedHalves, {5, 7, 7, 64}, true, true},
        // The last row and column of pixels lie under no window; channels fill no vector.
        Case{conv(16, 21, 3, 1), kHalves, {2, 9, 11, 16}, true, true},
        Case{conv(48, 70, 3, 0), kHalves, {2, 10, 8, 48}, true, true},
        Case{conv(16, 16, 3, 2), kHalves, {2, 6, 6, 16}, true, true},
        // Windows enough for several lists, and images for several turns.
        Case{conv(16, 512, 3, 1), kHalves, {9, 20, 20, 16}, true, true},
        Case{conv(16, 8, 5, 2), kHalves, {3, 12, 12, 16}, true, false},
        Case{conv(32, 24, 1, 0), kHalves, {3, 8, 8, 32}, true, false},
        Case{conv(16, 24, 2, 0), kOverlapping, {3, 12, 12, 16}, true, false},
        Case{conv(16, 24, 7, 3), kAcross, {2, 13, 13, 16}, true, false},
        Case{strided(conv(16, 24, 3, 1), Size2(2, 3)), kHalves, {3, 17, 16, 16}, true, false},
        Case{strided(conv(16, 24, 3, 2), 1, Size2(2, 1)), kHalves, {3, 12, 12, 16}, true, false},
        Case{strided(conv(16, 24, 3, 2), 1, 2), kHalves, {3, 12, 12, 16}, false, false},
        Case{conv(20, 24, 3, 1), kHalves, {3, 12, 12, 20}, false, false},
        Case{conv(16, 24, 3, 1), {.kernel_size = 3, .stride = 1}, {3, 8, 8, 16}, false, false}));

}  // namespace
}  // namespace convoy::nn
