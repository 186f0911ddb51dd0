// Convolutions of 3 x 3 with stride 1 by Winograd's F(4x4, 3x3): 36 matrix products over tiles of
// 4 x 4 outputs, which is 4 times fewer multiplications than conv2d_direct.h. Where a row or column
// does not divide by 4, its last tile is smaller and takes part in fewer of the products, so that
// nothing is computed outside the image. Padding is not materialised.
//
// For outputs and data gradients only: the sum over all tiles of a weight's gradient would mix the
// nine taps of a filter before it takes them apart again, so that a tap whose gradient is (almost)
// 0 is left with rounding errors of the others', of which Adam makes whole steps.
//
// Rounding: sums and differences come before the products and after them. A few units in the last
// place, some 1.8 to 3.3 times what a direct sum errs (tests/core/nn/conv2d_winograd_test.cc has
// the bound).
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
