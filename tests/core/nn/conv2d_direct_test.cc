#include "core/nn/conv2d_direct.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/base/parallel.h"
#include "core/base/random.h"
#include "core/nn/conv2d_pad.h"
#include "tests/support/layer_run.h"

namespace convoy::nn {
namespace {

float expected_weight_gradient(const ConvGeometry& g, const Tensor& padded, const Tensor& grad_y,
                               std::int64_t tap, std::int64_t c, std::int64_t k) {
  const std::int64_t row = tap / g.s * g.dilation.h;
  const std::int64_t column = tap % g.s * g.dilation.w;
  const std::int64_t channel = k / g.k_per_group() * g.c_per_group() + c;
  float sum = 0;
  for (std::int64_t i = 0; i < grad_y.elements() / g.k; ++i) {
    const std::int64_t image = i / (g.p * g.q);
    const std::int64_t h = i / g.q % g.p * g.stride.h + row;
    const std::int64_t w = i % g.q * g.stride.w + column;
    sum += grad_y.data()[i * g.k + k] *
           padded.data()[((image * g.padded_h() + h) * g.padded_w() + w) * g.c + channel];
  }
  return sum;
}

struct Case {
  Shape x;
  Conv2dOptions options;
};
class DirectWeightGradientTest : public ::testing::TestWithParam<Case> {};

Tensor weight_gradient(const ConvGeometry& g, const Tensor& padded, const Tensor& grad_y,
                       const Tensor& before, int threads) {
  Tensor grad = Tensor::zeros(before.shape());
  std::ranges::copy(before.values(), grad.data());
  const int threads_before = num_threads();
  set_num_threads(threads);
  direct_backward_weight(g, padded, grad_y, grad);
  set_num_threads(threads_before);
  return grad;
}

// More images, or larger ones, than are visited at a time. One thread goes from group to group;
// several have panels of their own.
TEST_P(DirectWeightGradientTest, SumsOverAllPixelsOnce) {
  const ConvGeometry g = geometry(GetParam().options, GetParam().x);
  const Tensor padded = pad(g, testing::whole_numbers(GetParam().x, 1));
  const Tensor grad_y = testing::whole_numbers({g.n, g.p, g.q, g.k}, 2);
  const Tensor before = testing::whole_numbers({g.r, g.s, g.c_per_group(), g.k}, 3);
  const Tensor grad = weight_gradient(g, padded, grad_y, before, 1);
  EXPECT_TRUE(
      std::ranges::equal(weight_gradient(g, padded, grad_y, before, 3).values(), grad.values()));
  RandomSequence random({.seed = 4});
  for (int i = 0; i < 300; ++i) {
    const auto at = static_cast<std::int64_t>(random.uniform(0.0F, 1.0F) *
                                              static_cast<float>(before.elements() - 1));
    const std::int64_t row = at / g.k;
    ASSERT_EQ(grad.data()[at],
              before.data()[at] + expected_weight_gradient(g, padded, grad_y, row / g.c_per_group(),
                                                           row % g.c_per_group(), at % g.k))
        << "weight " << at;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, DirectWeightGradientTest,
    ::testing::Values(
        Case{{41, 28, 28, 1}, {.in_channels = 1, .out_channels = 32, .kernel_size = 3}},
        Case{{2, 45, 41, 90},
             {.in_channels = 90, .out_channels = 70, .kernel_size = 3, .stride = {1, 2}}},
        Case{{30, 11, 13, 40},
             {.in_channels = 40, .out_channels = 50, .kernel_size = {2, 3}, .padding = 1}},
        Case{{1, 2, 400, 300}, {.in_channels = 300, .out_channels = 20, .kernel_size = 1}},
        Case{{1, 70, 71, 24},
             {.in_channels = 24,
              .out_channels = 60,
              .kernel_size = 3,
              .dilation = 2,
              .groups = 3}}));

}  // namespace
}  // namespace convoy::nn
