// Numbers that C++ and Python draw alike, so that the fixtures hold results only. synthetic.py has
// the same functions, bit for bit.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/tensor/tensor.h"

namespace convoy::parity {

/// What numbers are for; step s of a use reads the sequence `use + kStep * s`, parameter i of a
/// model `kParameter + i`.
enum Sequence : std::uint32_t {
  kInput = 1,
  kGradOutput = 2,
  kLabels = 3,
  kChecksum = 4,
  kSamples = 5,
  kDigits = 14,
  kParameter = 16,
  kStep = 256,
};

/// The i-th number of a sequence of well mixed 32-bit numbers.
std::uint32_t bits(std::uint32_t sequence, std::int64_t i);

/// Makes the first `count` numbers of a sequence.
using Draw = std::function<std::vector<float>(std::uint32_t sequence, std::int64_t count)>;

/// In [low, high).
std::vector<float> uniform(std::uint32_t sequence, std::int64_t count, double low = -1.0,
                           double high = 1.0);
/// Integers from -bound to bound.
std::vector<float> integers(std::uint32_t sequence, std::int64_t count, std::int64_t bound);

/// Below `classes`.
std::vector<std::uint8_t> labels(std::uint32_t step, std::int64_t count, std::uint32_t classes);

/// Ten black and white images (10, 28, 28, 1) of 4 by 4 blocks; synthetic.py says why these.
Tensor block_digits();

/// A sum with weights from 1 to 65536; exact, and so comparable with ==, if the values are integers
/// as small as here. `values` in PyTorch's order.
double checksum(std::span<const float> values);

}  // namespace convoy::parity
