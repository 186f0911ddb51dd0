// A convolution with operands rounded to bf16 (core/blis/bf16.h): the loops of conv2d_direct.h on
// images that it pads itself while it rounds them. The gradient of the images is such a convolution
// too (conv2d_passes.h).
#pragma once

#include <span>

#include "core/blis/bf16.h"
#include "core/nn/conv2d_geometry.h"
#include "core/tensor/tensor.h"

namespace convoy::nn {

/// Whether it does convolutions like this: kernel rows are contiguous and of an even length, and
/// padding is with zeros.
bool bf16_fits(const Conv2dOptions& options);

/// Elements that one thread needs.
std::int64_t bf16_scratch(const ConvGeometry& g);

/// Rows begin .. end of all outputs' (images * P), from images (H, W, C), the weight (R, S*C / 2,
/// K, 2) as bf16_pairs gives it, and `bias` (K) or null. Runs on the calling thread.
struct Bf16Arrays {
  const float* images;
  const blis::Bf16* weight;
  const float* bias;
  float* y;
};
void bf16_forward(const ConvGeometry& g, const Bf16Arrays& arrays, std::int64_t begin,
                  std::int64_t end, std::span<blis::Bf16> scratch);

/// Whether the backward pass is in bf16 too: with AMX, if stride is 1. Without it the float32
/// passes are as fast, which need fewer products (conv2d_winograd.h, conv2d_pooled.h).
bool bf16_backward_fits(const ConvGeometry& g);

/// Adds to grad_weight (R, S, C, K) the gradient for some images x (n, H, W, C) and that of their
/// outputs grad_y (n, P, Q, K). Uses all threads. REQUIRES: bf16_backward_fits.
void bf16_backward_weight(const ConvGeometry& g, const Tensor& x, const Tensor& grad_y,
                          Tensor& grad_weight);

}  // namespace convoy::nn
