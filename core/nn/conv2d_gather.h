// The gradient of a convolution's images, gathered pixel by pixel from the outputs' by convolutions
// with stride 1. Pixels whose places are equal modulo the stride are made of the same taps of the
// kernel: these are one convolution, with that part of the kernel reversed.
#pragma once

#include "core/nn/conv2d_geometry.h"
#include "core/tensor/tensor.h"

namespace convoy::nn {

/// weight (R, S, C/groups, K) -> (R, S, K/groups, C), the taps in the order gather_data_gradient
/// reads them; with stride 1: both kernel axes reversed. Uses all threads.
Tensor gather_weight(const ConvGeometry& g, const Tensor& weight);

/// The gradient of some outputs (n, P, Q, K) and a gather_weight -> that of their images: (n, H, W,
/// C) where padding is with zeros, else (n, padded H, padded W, C). Uses all threads.
void gather_data_gradient(const ConvGeometry& g, const Tensor& grad_y, const Tensor& weight,
                          Tensor& grad);

}  // namespace convoy::nn
