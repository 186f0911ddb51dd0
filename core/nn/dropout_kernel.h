// Dropout's mask and its application, compiled once per instruction set.
#pragma once

#include <cstdint>

#include "core/base/isa.h"

namespace convoy::nn {

/// What philox (core/base/random.h) gets besides the block number.
struct PhiloxWords {
  std::uint32_t counter[3];
  std::uint32_t key[2];
};

/// Numbers come in groups of four times this many: of group g, element j * kDropoutLanes + lane
/// takes number j of block g * kDropoutLanes + lane.
constexpr std::int64_t kDropoutLanes = 64;
constexpr std::int64_t kDropoutGroup = 4 * kDropoutLanes;

/// For `count` elements from the first of group `group` on: keep[i] = number >= threshold ? 1 : 0
/// and y[i] = x[i] * (keep[i] ? scale : 0).
CONVOY_KERNEL(dropout_forward,
              (const PhiloxWords& words, std::uint32_t group, std::uint32_t threshold, float scale,
               const float* x, std::int64_t count, float* y, std::uint8_t* keep))

/// grad[i] *= keep[i] ? scale : 0.
CONVOY_KERNEL(dropout_backward,
              (const std::uint8_t* keep, float scale, std::int64_t count, float* grad))

}  // namespace convoy::nn
