// The arithmetic of a convolution on padded images, as loops over micro-kernel calls. No autograd
// here, no padding.
#pragma once

#include "core/nn/conv2d_geometry.h"
#include "core/tensor/tensor.h"

namespace convoy::nn {

/// padded x (N, padded H, padded W, C) and weight (R, S, C/groups, K) -> y (N, P, Q, K), starting
/// from `bias` (K) unless that is empty.
Tensor conv_forward(const ConvGeometry& g, const Tensor& padded, const Tensor& weight,
                    const Tensor& bias);

/// Adds to `grad_weight` (R, S, C/groups, K) the gradient for grad_y (N, P, Q, K).
void conv_backward_weight(const ConvGeometry& g, const Tensor& padded, const Tensor& grad_y,
                          Tensor& grad_weight);

/// Adds to `grad_bias` (K) the sum of grad_y over everything but K.
void conv_backward_bias(const ConvGeometry& g, const Tensor& grad_y, Tensor& grad_bias);

/// The gradient of x (N, H, W, C).
Tensor conv_backward_data(const ConvGeometry& g, const Tensor& grad_y, const Tensor& weight);

}  // namespace convoy::nn
