#include <gtest/gtest.h>

#include "core/nn/conv2d_pad.h"
#include "core/nn/conv2d_passes.h"
#include "tests/support/layer_run.h"

namespace convoy::nn {
namespace {

// By definition: each output's gradient goes to the padded pixels it was made of.
Tensor scattered(const ConvGeometry& g, const Tensor& grad_y, const Tensor& weight) {
  Tensor grad = Tensor::zeros({g.n, g.padded_h(), g.padded_w(), g.c});
  for (std::int64_t i = 0; i < grad_y.elements(); ++i) {
    const std::int64_t k = i % g.k;
    const std::int64_t q = i / g.k % g.q;
    const std::int64_t p = i / (g.k * g.q) % g.p;
    const std::int64_t image = i / (g.k * g.q * g.p);
    for (std::int64_t j = 0; j < g.r * g.s * g.c_per_group(); ++j) {
      const std::int64_t c = j % g.c_per_group();
      const std::int64_t tap = j / g.c_per_group();
      const std::int64_t h = p * g.stride.h + tap / g.s * g.dilation.h;
      const std::int64_t w = q * g.stride.w + tap % g.s * g.dilation.w;
      const std::int64_t channel = k / g.k_per_group() * g.c_per_group() + c;
      grad.data()[((image * g.padded_h() + h) * g.padded_w() + w) * g.c + channel] +=
          grad_y.data()[i] * weight.data()[j * g.k + k];
    }
  }
  return unpad(g, grad);
}

class DataGradientTest : public ::testing::TestWithParam<Conv2dOptions> {};

TEST_P(DataGradientTest, IsTheAdjointOfTheForwardPass) {
  for (const auto& [h, w] : {std::pair{13, 11}, {10, 17}, {15, 12}}) {
    const ConvGeometry g = geometry(GetParam(), {2, h, w, GetParam().in_channels});
    const Tensor weight = testing::whole_numbers({g.r, g.s, g.c_per_group(), g.k}, 1);
    const Tensor grad_y = testing::whole_numbers({g.n, g.p, g.q, g.k}, 2);
    const Tensor grad_x =
        testing::whole_numbers({g.n, g.h, g.w, g.c}, 3);  // all of it is overwritten
    ConvDataGradient(g, weight).run(grad_y, grad_x);
    const Tensor expected = scattered(g, grad_y, weight);
    for (std::int64_t i = 0; i < grad_x.elements(); ++i) {
      ASSERT_EQ(grad_x.data()[i], expected.data()[i]) << h << " x " << w << ", element " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Options, DataGradientTest,
    ::testing::Values(
        Conv2dOptions{.in_channels = 5, .out_channels = 7, .kernel_size = 3, .padding = 1},
        Conv2dOptions{.in_channels = 33, .out_channels = 90, .kernel_size = 3, .stride = 2},
        Conv2dOptions{
            .in_channels = 3, .out_channels = 4, .kernel_size = 7, .stride = 2, .padding = 3},
        Conv2dOptions{.in_channels = 4, .out_channels = 4, .kernel_size = 1, .stride = 2},
        Conv2dOptions{.in_channels = 4, .out_channels = 6, .kernel_size = 1, .padding = {2, 1}},
        Conv2dOptions{.in_channels = 4, .out_channels = 6, .kernel_size = {2, 1}, .stride = {4, 9}},
        Conv2dOptions{.in_channels = 2,
                      .out_channels = 3,
                      .kernel_size = {4, 3},
                      .stride = {2, 6},
                      .padding = {5, 0},
                      .dilation = {3, 4}},
        Conv2dOptions{.in_channels = 6,
                      .out_channels = 4,
                      .kernel_size = 3,
                      .stride = {3, 2},
                      .padding = {1, 4},
                      .dilation = {2, 2},
                      .groups = 2},
        Conv2dOptions{
            .in_channels = 3, .out_channels = 6, .kernel_size = 3, .padding = 1, .groups = 3},
        Conv2dOptions{.in_channels = 4,
                      .out_channels = 5,
                      .kernel_size = {3, 5},
                      .stride = {2, 1},
                      .padding = 2,
                      .padding_mode = PaddingMode::kReflect}));

}  // namespace
}  // namespace convoy::nn
