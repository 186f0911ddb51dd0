// The backward pass of a convolution whose outputs are max-pooled. Of the outputs under a window
// only the winner has a gradient, a quarter of them or fewer, and none where a ReLU cut it off: so
// these passes visit winners instead of pixels. Which layers are taken together is conv2d.cc's.
#pragma once

#include "core/nn/conv2d_geometry.h"
#include "core/nn/pool_geometry.h"
#include "core/tensor/tensor.h"

namespace convoy::nn {

/// What is known of the outputs: the gradient of the pooled ones (N, P, Q, K), P and Q those of the
/// pooling, zero where it does not count, and which place of its window won each.
struct PooledGradient {
  const ConvGeometry& g;
  const PoolGeometry& pool;  ///< without dilation
  const Tensor& gradient;
  const std::uint8_t* winners;  ///< see max_pool2d_kernel.h
};

/// Depends on nothing but the sizes, and not on that of the batch: so the bits do not either.
bool pooled_weight_fits(const ConvGeometry& g, const PoolGeometry& pool);
/// Adds to `grad_weight` (R, S, C, K), from what conv_input returned (conv2d_passes.h). Uses all
/// threads. REQUIRES: pooled_weight_fits.
void pooled_backward_weight(const PooledGradient& pooled, const Tensor& input, Tensor& grad_weight);

bool pooled_data_fits(const ConvGeometry& g, const PoolGeometry& pool);
/// Writes `grad_x` (N, H, W, C). Uses all threads. REQUIRES: pooled_data_fits.
void pooled_backward_data(const PooledGradient& pooled, const Tensor& weight, Tensor& grad_x);

}  // namespace convoy::nn
