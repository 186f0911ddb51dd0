// Convolutions of 3 x 3 with stride 1 by Winograd's F(4x4, 3x3): 36 matrix products over tiles of
// 4 x 4 outputs, which is 4 times fewer multiplications than conv2d_direct.h. Where a row or column
// does not divide by 4, its last tile is smaller and takes part in fewer of the products, so that
// nothing is computed outside the image. Padding is not materialised.
//
// Rounding: sums and differences come before the products and after them. A few units in the last
// place, some 1.8 to 3.3 times what a direct sum errs, 1.3 to 2.7 times for the weight's gradient
// (tests/core/nn/conv2d_winograd_test.cc has the bounds).
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

/// Whether WinogradWeightGradient serves this convolution and is likely to be faster: on the batch
/// too it depends, for few outputs do not pay for the transforms. Not where P or Q is less than a
/// tile's: taps at the edges meet few pixels there, and errors are larger.
bool winograd_weight_fits(const ConvGeometry& g);

/// The weight's gradient, summed over a batch like g's, some images at a time. It mixes the nine
/// taps of a filter (of one channel and one output) and takes them apart in the end: a tap whose
/// gradient is 0, because all that it meets is, keeps 5 to 9 times the rounding error of a direct
/// sum for the other eight, where a direct sum gives 0. A filter whose channel or output is all 0
/// gets 0.
class WinogradWeightGradient {
 public:
  /// REQUIRES: winograd_weight_fits(g).
  explicit WinogradWeightGradient(const ConvGeometry& g);

  /// How many images, or a multiple of it, each `add` but the last must bring: then the bits do not
  /// depend on how they are cut into calls.
  std::int64_t images_together() const;
  /// Some images (n, H, W, C), g.n at most, and the gradient of their outputs (n, P, Q, K). Uses
  /// all threads.
  void add(const Tensor& x, const Tensor& grad_y);
  /// Adds the sum to grad_weight (3, 3, C, K). REQUIRES: an `add` before. Uses all threads.
  void finish(Tensor& grad_weight);

 private:
  ConvGeometry g_;
  Tensor sums_;       // (points, C K and some more)
  Tensor inputs_;     // (blocks at once, points, tiles of C and some more)
  Tensor gradients_;  // (blocks at once, points, tiles of K and some more)
  Tensor zeros_;      // (C)
  bool started_ = false;
};

}  // namespace convoy::nn
