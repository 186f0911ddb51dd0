// Max pooling over rows of channels-last images, compiled once per instruction set.
#pragma once

#include "core/base/isa.h"
#include "core/nn/pool_geometry.h"

namespace convoy::nn {

/// The place r * window_w + s of the largest value in its window, one per output element: as
/// unsigned bytes if the window has at most this many places, else as unsigned 32-bit integers.
/// All bits set: the window holds nothing of the image.
constexpr std::int64_t kMostByteWinners = 255;
constexpr std::int64_t kMostWinners = 0x7fffffff;

inline constexpr bool winners_are_bytes(const PoolGeometry& g) {
  return g.window_h * g.window_w <= kMostByteWinners;
}

/// Output rows `begin` .. `end` of all images' (N * P). `winners` may be null.
CONVOY_KERNEL(max_pool2d_forward, (const PoolGeometry& g, const float* x, float* y, void* winners,
                                   std::int64_t begin, std::int64_t end))

/// Input rows `begin` .. `end` of all images' (N * H) of dx, each element written once.
CONVOY_KERNEL(max_pool2d_backward, (const PoolGeometry& g, const float* dy, const void* winners,
                                    float* dx, std::int64_t begin, std::int64_t end))

}  // namespace convoy::nn
