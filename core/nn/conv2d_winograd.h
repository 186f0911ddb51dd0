// Convolutions of 3 x 3 with stride 1 by Winograd's F(2x2, 3x3) or F(4x4, 3x3): 16 matrix products
// over tiles of 2 x 2 outputs or 36 over tiles of 4 x 4, which is 2.25 or 4 times fewer
// multiplications than conv2d_direct.h, less what a last tile computes outside the image. The form
// with fewer products is taken, whatever the batch. Padding is not materialised.
//
// For outputs and data gradients only: the sum over all tiles of a weight's gradient would mix the
// nine taps of a filter before it takes them apart again, so that a tap whose gradient is (almost)
// 0 is left with rounding errors of the others', of which Adam makes whole steps.
//
// Rounding: sums and differences come before the products and after them. Tiles of 2 x 2 err no
// more than a direct sum does, tiles of 4 x 4 some 2 to 3 times as much, a few units in the last
// place (tests/core/nn/conv2d_winograd_test.cc has the bounds).
#pragma once

#include <span>

#include "core/nn/conv2d_geometry.h"
#include "core/tensor/tensor.h"

namespace convoy::nn {

/// Whether it serves this convolution and is likely to be faster. Depends on `g` but for the batch.
bool winograd_fits(const ConvGeometry& g);

/// Tiles of an image: the units of work of winograd_forward.
std::int64_t winograd_tiles(const ConvGeometry& g);

/// weight (3, 3, C, K) -> (points, C K and some more), for winograd_forward alone.
Tensor winograd_transformed(const ConvGeometry& g, const Tensor& weight);

/// What a thread needs at once, in floats.
std::int64_t winograd_scratch(const ConvGeometry& g);

/// Tiles begin .. end, counted through all images (H, W, C), with the transformed weight; `scratch`
/// is the calling thread's. Runs on that thread; the bits do not depend on how tiles are shared
/// out.
void winograd_forward(const ConvGeometry& g, const ConvArrays& arrays, std::int64_t begin,
                      std::int64_t end, std::span<float> scratch);

}  // namespace convoy::nn
