// The extents of a pooling pass as plain numbers, for the kernels.
#pragma once

#include <cstdint>

namespace convoy::nn {

/// Window (p, q) covers the input rows p * stride_h - padding_h + r * dilation_h, 0 <= r <
/// window_h, as far as they lie within the image, and columns alike.
struct PoolGeometry {
  std::int64_t h, w, c;             ///< input
  std::int64_t p, q;                ///< output height and width
  std::int64_t window_h, window_w;  ///< kernel size
  std::int64_t stride_h, stride_w;
  std::int64_t padding_h, padding_w;
  std::int64_t dilation_h, dilation_w;
};

}  // namespace convoy::nn
