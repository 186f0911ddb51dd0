// Padding of images before a convolution, and its adjoint after the data gradient.
#pragma once

#include "core/nn/conv2d_geometry.h"
#include "core/tensor/tensor.h"

namespace convoy::nn {

/// x (N, H, W, C) -> (N, padded H, padded W, C); x itself where nothing is to be added.
Tensor pad(const ConvGeometry& g, const Tensor& x);

/// The adjoint: adds every element of `padded` to the element of the image that it was copied from.
/// (N, padded H, padded W, C) -> (N, H, W, C); `padded` itself where nothing was added.
Tensor unpad(const ConvGeometry& g, const Tensor& padded);

/// Images (N, H, W, C) seen through a window of `rows` x `columns` whose corner is at (`top`,
/// `left`); zeros where the window reaches outside.
Tensor window(const Tensor& x, std::int64_t top, std::int64_t left, std::int64_t rows,
              std::int64_t columns);

}  // namespace convoy::nn
