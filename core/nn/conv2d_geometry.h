// The numbers of one convolution: sizes, strides and padding, worked out once and used by padding,
// forward and backward alike.
#pragma once

#include "core/nn/conv2d.h"

namespace convoy::nn {

/// Letters as in core/tensor/shape.h; "padded" means with top, bottom, left and right added.
struct ConvGeometry {
  std::int64_t n = 0;
  std::int64_t h = 0;
  std::int64_t w = 0;
  std::int64_t c = 0;
  std::int64_t k = 0;
  std::int64_t r = 0;
  std::int64_t s = 0;
  std::int64_t p = 0;
  std::int64_t q = 0;
  std::int64_t groups = 1;
  Size2 stride = 1;
  Size2 dilation = 1;
  std::int64_t top = 0;
  std::int64_t bottom = 0;
  std::int64_t left = 0;
  std::int64_t right = 0;
  PaddingMode mode = PaddingMode::kZeros;
  Precision precision = Precision::kFloat32;  ///< bf16 where that fits: conv2d_bf16.h

  std::int64_t padded_h() const { return h + top + bottom; }
  std::int64_t padded_w() const { return w + left + right; }
  /// Negative numbers of rows or columns cut some off.
  bool has_padding() const { return top != 0 || bottom != 0 || left != 0 || right != 0; }
  std::int64_t c_per_group() const { return c / groups; }
  std::int64_t k_per_group() const { return k / groups; }
  /// One kernel row reads contiguous floats: no groups, no dilation along the width.
  bool contiguous_rows() const { return groups == 1 && (dilation.w == 1 || s == 1); }
};

/// What a forward pass reads and writes: any number of images (padded or not, as the pass wants),
/// the weight as the pass wants it, `bias` (K) or null, and y (as many images, P, Q, K).
struct ConvArrays {
  const float* images;
  const float* weight;
  const float* bias;
  float* y;
};

/// Throws Error if `options` are not ones that torch.nn.Conv2d takes.
void check_options(const Conv2dOptions& options);

/// The geometry for an input (N, H, W, C). Throws Error for another number of channels, an empty
/// output, or a reflect or circular padding wider than the image allows.
ConvGeometry geometry(const Conv2dOptions& options, const Shape& x);

}  // namespace convoy::nn
