// The transforms of Winograd's F(2x2, 3x3) and F(4x4, 3x3), compiled once per instruction set: a
// tile of 4 x 4 or 6 x 6 input pixels gives one of 2 x 2 or 4 x 4 outputs by 16 or 36
// multiplications a channel instead of 36 or 144. See Lavin and Gray, "Fast Algorithms for
// Convolutional Neural Networks", CVPR 2016, for the matrices B, G and A; those of F(4x4, 3x3) are
// for other points than theirs, which the source names.
//
// A transformed tile has as many points as pixels; point i of channel c lies at [i * stride + c].
// All are thread safe.
#pragma once

#include <cstdint>

#include "core/base/isa.h"

namespace convoy::nn {

/// v = B^T d B of the pixels d, given row by row, each of `channels` floats.
CONVOY_KERNEL(winograd2_input,
              (const float* const* pixels, std::int64_t channels, float* v, std::int64_t stride))
CONVOY_KERNEL(winograd4_input,
              (const float* const* pixels, std::int64_t channels, float* v, std::int64_t stride))

/// y = A^T m A + bias of the outputs y, given row by row; `bias` has `channels` floats or is null.
CONVOY_KERNEL(winograd2_output, (const float* m, std::int64_t stride, std::int64_t channels,
                                 const float* bias, float* const* pixels))
CONVOY_KERNEL(winograd4_output, (const float* m, std::int64_t stride, std::int64_t channels,
                                 const float* bias, float* const* pixels))

/// u = G w G^T of a panel: `count` of the K weights of each channel. Tap i of the 3 x 3 lies at
/// weight[i * tap_stride], point i at u[i * stride], the weights of the next channel
/// `channel_stride` floats behind in `weight` and `count` in u.
struct WinogradPanel {
  const float* weight;
  std::int64_t tap_stride;
  std::int64_t channel_stride;
  std::int64_t channels;
  std::int64_t count;
  float* u;
  std::int64_t stride;
};
CONVOY_KERNEL(winograd2_weight, (const WinogradPanel& panel))
CONVOY_KERNEL(winograd4_weight, (const WinogradPanel& panel))

}  // namespace convoy::nn
