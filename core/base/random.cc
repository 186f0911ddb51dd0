#include "core/base/random.h"

#include <cmath>
#include <numbers>

namespace convoy {

std::array<std::uint32_t, 4> philox(const RandomKey& key, std::uint32_t block) {
  constexpr std::uint64_t kMultiplier0 = 0xD2511F53;
  constexpr std::uint64_t kMultiplier1 = 0xCD9E8D57;
  constexpr std::uint32_t kWeyl0 = 0x9E3779B9;
  constexpr std::uint32_t kWeyl1 = 0xBB67AE85;
  std::array<std::uint32_t, 4> x = {block, key.sample, key.step,
                                    (static_cast<std::uint32_t>(key.stream) << 24) | key.layer};
  auto k0 = static_cast<std::uint32_t>(key.seed);
  auto k1 = static_cast<std::uint32_t>(key.seed >> 32);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = kMultiplier0 * x[0];
    const std::uint64_t p1 = kMultiplier1 * x[2];
    x = {static_cast<std::uint32_t>(p1 >> 32) ^ x[1] ^ k0, static_cast<std::uint32_t>(p1),
         static_cast<std::uint32_t>(p0 >> 32) ^ x[3] ^ k1, static_cast<std::uint32_t>(p0)};
    k0 += kWeyl0;
    k1 += kWeyl1;
  }
  return x;
}

std::uint32_t RandomSequence::next_bits() {
  if (used_ == 4) {
    numbers_ = philox(key_, block_++);
    used_ = 0;
  }
  return numbers_[static_cast<std::size_t>(used_++)];
}

float RandomSequence::normal() {
  // 1 - u lies in (0, 1], so the logarithm is finite.
  const float radius = std::sqrt(-2.0F * std::log(1.0F - uniform()));
  return radius * std::cos(2.0F * std::numbers::pi_v<float> * uniform());
}

std::uint32_t RandomSequence::below(std::uint32_t bound) {
  std::uint64_t product = static_cast<std::uint64_t>(next_bits()) * bound;
  if (static_cast<std::uint32_t>(product) < bound) {
    const std::uint32_t threshold = -bound % bound;
    while (static_cast<std::uint32_t>(product) < threshold) {
      product = static_cast<std::uint64_t>(next_bits()) * bound;
    }
  }
  return static_cast<std::uint32_t>(product >> 32);
}

}  // namespace convoy
