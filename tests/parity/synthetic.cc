#include "tests/parity/synthetic.h"

namespace convoy::parity {
namespace {

template <typename T, typename Number>
std::vector<T> fill(std::int64_t count, const Number& number) {
  std::vector<T> values(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    values[static_cast<std::size_t>(i)] = static_cast<T>(number(i));
  }
  return values;
}

}  // namespace

std::uint32_t bits(std::uint32_t sequence, std::int64_t i) {
  std::uint32_t x = static_cast<std::uint32_t>(i) + sequence * 0x9E3779B9U;
  x ^= x >> 16;
  x *= 0x7FEB352DU;
  x ^= x >> 15;
  x *= 0x846CA68BU;
  return x ^ (x >> 16);
}

std::vector<float> uniform(std::uint32_t sequence, std::int64_t count, double low, double high) {
  return fill<float>(count, [&](std::int64_t i) {
    return low + (high - low) * (static_cast<double>(bits(sequence, i) >> 8) * 0x1p-24);
  });
}

std::vector<float> integers(std::uint32_t sequence, std::int64_t count, std::int64_t bound) {
  return fill<float>(count,
                     [&](std::int64_t i) { return bits(sequence, i) % (2 * bound + 1) - bound; });
}

std::vector<std::uint8_t> labels(std::uint32_t step, std::int64_t count, std::uint32_t classes) {
  return fill<std::uint8_t>(
      count, [&](std::int64_t i) { return bits(kLabels + kStep * step, i) % classes; });
}

Tensor block_digits() {
  constexpr int kBlocks = 7;
  constexpr int kBlock = 4;
  constexpr int kSide = kBlocks * kBlock;
  const std::vector<float> blocks = uniform(kDigits, 10 * kBlocks * kBlocks, 0.0, 1.0);
  return Tensor::of({10, kSide, kSide, 1}, fill<float>(10 * kSide * kSide, [&](std::int64_t pixel) {
                      const std::int64_t row =
                          pixel / kSide / kBlock;  // of blocks, over all images
                      const std::int64_t column = pixel % kSide / kBlock;
                      return blocks[static_cast<std::size_t>(row * kBlocks + column)] < 0.3;
                    }));
}

double checksum(std::span<const float> values) {
  double sum = 0;
  for (std::int64_t i = 0; const float value : values) {
    sum += static_cast<double>(1 + (bits(kChecksum, i++) >> 16)) * static_cast<double>(value);
  }
  return sum;
}

}  // namespace convoy::parity
