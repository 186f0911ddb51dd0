// The transforms of Winograd's F(2x2, 3x3), compiled once per instruction set: a tile of 4 x 4
// input pixels gives one of 2 x 2 outputs by 16 multiplications a channel instead of 36. See Lavin
// and Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016, for the matrices B, G
// and A.
//
// A transformed tile has 16 points; point i of channel c lies at [i * stride + c]. Everything but
// the points themselves is a sum or a difference; G halves. All are thread safe.
#pragma once

#include <cstdint>

#include "core/base/isa.h"

namespace convoy::nn {

constexpr std::int64_t kWinogradPoints = 16;

/// v = B^T d B of the 4 x 4 pixels d, given row by row, each of `channels` floats.
CONVOY_KERNEL(winograd_input,
              (const float* const* pixels, std::int64_t channels, float* v, std::int64_t stride))

/// y = A^T m A + bias for 2 x 2 pixels, given row by row; `bias` has `channels` floats or is null.
CONVOY_KERNEL(winograd_output, (const float* m, std::int64_t stride, std::int64_t channels,
                                const float* bias, float* const* pixels))

/// u = G w G^T of `count` weights; tap i of the 3 x 3 lies at [i * tap_stride], point i at
/// [i * stride].
CONVOY_KERNEL(winograd_weight, (const float* weight, std::int64_t tap_stride, std::int64_t count,
                                float* u, std::int64_t stride))

}  // namespace convoy::nn
