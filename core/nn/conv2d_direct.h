// A convolution of any kind as loops over micro-kernel calls, on images that are padded already.
// conv2d_passes.h decides where conv2d_winograd.h does better.
#pragma once

#include "core/nn/conv2d_geometry.h"
#include "core/tensor/tensor.h"

namespace convoy::nn {

/// Rows begin .. end of all outputs' (images * P), from padded images (padded H, padded W, C) and
/// the weight (R, S, C/groups, K). Runs on the calling thread.
void direct_forward(const ConvGeometry& g, const ConvArrays& arrays, std::int64_t begin,
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
