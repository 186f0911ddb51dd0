// Loops that wait for nothing but one part of the machine: multiply-add units, or memory.
#pragma once

#include <cstdint>

#include "core/base/isa.h"

namespace convoy::bench {

/// Steps of `rounds` rounds; what one round is worth is added to `flop`.
struct FmaChains {
  std::int64_t rounds = 0;
  float factor = 0.999F;
  float term = 0.001F;
  double flop = 0;
  float sum = 0;
};

/// Runs independent chains x = x * factor + term, all in registers, and counts their operations in
/// `chains.flop`: the most that a core can do with this instruction set.
CONVOY_KERNEL(fma_chains, (FmaChains & chains))

/// Copies `count` floats, a multiple of 16, register by register through the caches, which memcpy
/// goes around when there is much to copy.
CONVOY_KERNEL(copy_floats, (const float* from, float* to, std::int64_t count))

}  // namespace convoy::bench
