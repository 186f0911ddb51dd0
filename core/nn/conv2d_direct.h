// A convolution of any kind as loops over micro-kernel calls, on images that are padded already.
// conv2d_passes.h decides where conv2d_winograd.h does better.
#pragma once

#include "core/nn/conv2d_geometry.h"
#include "core/tensor/tensor.h"

namespace convoy::nn {

/// Rows begin .. end of all outputs' (any * P): images `padded` (any, padded H, padded W, C) and
/// weight (R, S, C/groups, K) -> y (any, P, Q, K), starting from `bias` (K) unless that is null.
/// Runs on the calling thread.
struct DirectCall {
  const float* padded;
  const float* weight;
  const float* bias;
  float* y;
};
void direct_forward(const ConvGeometry& g, const DirectCall& call, std::int64_t begin,
                    std::int64_t end);

/// Adds to `grad_weight` (R, S, C/groups, K) the gradient for some images (n, padded H, padded W,
/// C) and the gradient of their outputs (n, P, Q, K). Uses all threads.
void direct_backward_weight(const ConvGeometry& g, const Tensor& padded, const Tensor& grad_y,
                            Tensor& grad_weight);

/// The gradient of the padded images for any stride, dilation and groups: each output pixel
/// scatters to the pixels it was made of. `flipped` is the weight as (R, S, K, C/groups) with both
/// kernel axes reversed. Uses all threads.
Tensor direct_scatter(const ConvGeometry& g, const Tensor& grad_y, const Tensor& flipped);

}  // namespace convoy::nn
