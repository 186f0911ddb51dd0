// The transforms of Winograd's F(4x4, 3x3), compiled once per instruction set: a tile of 6 x 6
// input pixels gives one of 4 x 4 outputs by 36 multiplications a channel instead of 144. See Lavin
// and Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016, for the matrices B, G
// and A; these are for other points than theirs, which the source names.
//
// A tile may have fewer outputs, 1 to 4 in each direction: n of them take n + 2 pixels and as many
// points, which are some of the 6, so that one transformed weight serves tiles of all sizes.
//
// A point (r, s) is the (6 r + s)-th of the 36, and lies at [(6 r + s) * stride + c] for channel c.
// All are thread safe.
#pragma once

#include <cstdint>

#include "core/base/isa.h"

namespace convoy::nn {

/// A tile's outputs.
struct TileSize {
  int high;
  int wide;
};

/// Whether row (or column) `i` of the points belongs to tiles with so many outputs.
constexpr bool winograd_has(std::int64_t outputs, std::int64_t i) {
  return i <= outputs || i == 5;
}

/// v = B^T d B of the pixels d, given row by row, each of `channels` floats. Only the tile's points
/// are written.
CONVOY_KERNEL(winograd_input, (TileSize tile, const float* const* pixels, std::int64_t channels,
                               float* v, std::int64_t stride))

/// y = A^T m A + bias of the outputs y, given row by row; `bias` has `channels` floats or is null.
CONVOY_KERNEL(winograd_output, (TileSize tile, const float* m, std::int64_t stride,
                                std::int64_t channels, const float* bias, float* const* pixels))

/// Row `point_row` of the points u = G w G^T of a panel: `count` of the K weights of each channel.
/// Tap i of the 3 x 3 lies at weight[i * tap_stride], point i at u[i * stride], the weights of the
/// next channel `channel_stride` floats behind in `weight` and `count` in u.
struct WinogradPanel {
  const float* weight;
  std::int64_t tap_stride;
  std::int64_t channel_stride;
  std::int64_t channels;
  std::int64_t count;
  float* u;
  std::int64_t stride;
};
CONVOY_KERNEL(winograd_weight, (const WinogradPanel& panel, int point_row))

/// m = A y A^T of a tile's gradient y, given row by row, each pixel of `channels` floats: the
/// transpose of winograd_output. Only the tile's points are written.
CONVOY_KERNEL(winograd_output_gradient, (TileSize tile, const float* const* pixels,
                                         std::int64_t channels, float* m, std::int64_t stride))

/// Adds G^T u G to `count` weights, of which tap i lies at weight[i * tap_stride]: the transpose of
/// winograd_weight.
CONVOY_KERNEL(winograd_weight_gradient, (const float* u, std::int64_t stride, std::int64_t count,
                                         float* weight, std::int64_t tap_stride))

}  // namespace convoy::nn
