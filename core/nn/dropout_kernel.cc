#include "core/nn/dropout_kernel.h"

namespace convoy::nn::CONVOY_ISA_NAMESPACE {
namespace {

// The rounds of philox in core/base/random.cc, for many successive blocks at a time: enough of them
// for compilers to vectorise rather than unroll. `x` holds all first numbers, then all second ...
void philox_group(const PhiloxWords& words, std::uint32_t first_block, std::uint32_t* x) {
  std::uint32_t* __restrict x0 = x;
  std::uint32_t* __restrict x1 = x + kDropoutLanes;
  std::uint32_t* __restrict x2 = x + 2 * kDropoutLanes;
  std::uint32_t* __restrict x3 = x + 3 * kDropoutLanes;
  for (int lane = 0; lane < kDropoutLanes; ++lane) {
    x0[lane] = first_block + static_cast<std::uint32_t>(lane);
    x1[lane] = words.counter[0];
    x2[lane] = words.counter[1];
    x3[lane] = words.counter[2];
  }
  std::uint32_t k0 = words.key[0];
  std::uint32_t k1 = words.key[1];
  for (int round = 0; round < 10; ++round) {
    for (int lane = 0; lane < kDropoutLanes; ++lane) {
      const std::uint64_t p0 = std::uint64_t{0xD2511F53} * x0[lane];
      const std::uint64_t p1 = std::uint64_t{0xCD9E8D57} * x2[lane];
      x0[lane] = static_cast<std::uint32_t>(p1 >> 32) ^ x1[lane] ^ k0;
      x1[lane] = static_cast<std::uint32_t>(p1);
      x2[lane] = static_cast<std::uint32_t>(p0 >> 32) ^ x3[lane] ^ k1;
      x3[lane] = static_cast<std::uint32_t>(p0);
    }
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
}

}  // namespace

void dropout_forward(const PhiloxWords& words, std::uint32_t group, std::uint32_t threshold,
                     float scale, const float* __restrict x, std::int64_t count,
                     float* __restrict y, std::uint8_t* __restrict keep) {
  std::uint32_t numbers[kDropoutGroup];
  for (std::int64_t begin = 0; begin < count; begin += kDropoutGroup) {
    philox_group(words, group++ * std::uint32_t{kDropoutLanes}, numbers);
    const std::int64_t size = count - begin < kDropoutGroup ? count - begin : kDropoutGroup;
    for (std::int64_t i = 0; i < size; ++i) {
      keep[begin + i] = numbers[i] >= threshold ? 1 : 0;
    }
  }
  for (std::int64_t i = 0; i < count; ++i) {
    y[i] = x[i] * (scale * static_cast<float>(keep[i]));
  }
}

void dropout_backward(const std::uint8_t* __restrict keep, float scale, std::int64_t count,
                      float* __restrict grad) {
  for (std::int64_t i = 0; i < count; ++i) {
    grad[i] *= scale * static_cast<float>(keep[i]);
  }
}

}  // namespace convoy::nn::CONVOY_ISA_NAMESPACE
