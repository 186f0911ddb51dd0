// Randomness without state: Philox4x32-10, a counter-based generator (Salmon et al., "Parallel
// Random Numbers: As Easy as 1, 2, 3", SC 2011). The same (seed, counter) gives the same numbers on
// every machine, whatever rank, thread or batch position asks, so dropout, augmentation and the
// order of samples do not depend on how work is shared out.
#pragma once

#include <array>
#include <cstdint>

namespace convoy {

/// What a random number is for; two streams never share numbers.
enum class Stream : std::uint32_t {
  kInit = 1,
  kShuffle = 2,
  kDropout = 3,
  kAugment = 4,
  kSynthetic = 5,
};

/// Where a number lies within its seed. `layer` tells apart users of one stream (a parameter, a
/// dropout layer); `step` is a step or an epoch; `sample` is the sample's id in its data set.
struct RandomKey {
  std::uint64_t seed = 0;
  Stream stream = Stream::kInit;
  std::uint32_t layer = 0;  ///< at most 2^24 - 1
  std::uint32_t step = 0;
  std::uint32_t sample = 0;
};

/// Four independent 32-bit numbers: the `block`-th quadruple of `key`.
std::array<std::uint32_t, 4> philox(const RandomKey& key, std::uint32_t block);

/// A 32-bit number as a float in [0, 1), all 2^24 values equally likely.
inline float uniform_float(std::uint32_t bits) {
  return static_cast<float>(bits >> 8) * 0x1p-24F;
}

/// Reads a key's numbers one after the other; for code that needs a few, in order.
class RandomSequence {
 public:
  explicit RandomSequence(const RandomKey& key) : key_(key) {}

  std::uint32_t next_bits();
  /// In [0, 1).
  float uniform() { return uniform_float(next_bits()); }
  /// In [low, high).
  float uniform(float low, float high) { return low + (high - low) * uniform(); }
  /// Normal with mean 0 and standard deviation 1 (Box-Muller).
  float normal();
  /// In [0, bound), without bias (Lemire, "Fast Random Integer Generation in an Interval", 2019).
  std::uint32_t below(std::uint32_t bound);

 private:
  RandomKey key_;
  std::uint32_t block_ = 0;
  int used_ = 4;
  std::array<std::uint32_t, 4> numbers_{};
};

}  // namespace convoy
