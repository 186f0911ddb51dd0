// A convolution of any kind as loops over micro-kernel calls, on images that are padded already.
// conv2d_passes.h decides where conv2d_winograd.h does better.
#pragma once

#include "core/nn/conv2d_geometry.h"
#include "core/tensor/tensor.h"

namespace convoy::nn {

/// Floats from an output image, row or pixel to the next.
struct OutputStrides {
  std::int64_t image;
  std::int64_t row;
  std::int64_t pixel;
};

/// Rows begin .. end of all outputs' (images * P), from padded images (padded H, padded W, C) and
/// the weight (R, S, C/groups, K). Without taps all are the bias, or 0. Runs on the calling thread.
void direct_forward(const ConvGeometry& g, const ConvArrays& arrays, const OutputStrides& strides,
                    std::int64_t begin, std::int64_t end);
/// With outputs side by side, (images, P, Q, K).
void direct_forward(const ConvGeometry& g, const ConvArrays& arrays, std::int64_t begin,
                    std::int64_t end);

/// Adds to `grad_weight` (R, S, C/groups, K) the gradient for some images (n, padded H, padded W,
/// C) and the gradient of their outputs (n, P, Q, K). Uses all threads.
void direct_backward_weight(const ConvGeometry& g, const Tensor& padded, const Tensor& grad_y,
                            Tensor& grad_weight);

}  // namespace convoy::nn
