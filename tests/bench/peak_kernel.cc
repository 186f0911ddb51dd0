// Compiled once per instruction set. Twelve chains cover four cycles of latency on up to three
// units, and with the two operands fit into the 16 registers of AVX2 and SSE.
#include "tests/bench/peak_kernel.h"

#include "core/base/vec.h"

namespace convoy::bench::CONVOY_ISA_NAMESPACE {

void fma_chains(FmaChains& chains) {
  constexpr int kChains = 12;
  const Vec factor = Vec::broadcast(&chains.factor);
  const Vec term = Vec::broadcast(&chains.term);
  Vec x[kChains];
  for (Vec& value : x) {
    value = term;
  }
  for (std::int64_t round = 0; round < chains.rounds; ++round) {
    for (Vec& value : x) {
      // The chain runs through the product, so that no compiler can take the product out.
      Vec next = term;
      next.add_product(value, factor);
      value = next;
    }
  }
  chains.flop += 2.0 * kChains * Vec::kWidth * static_cast<double>(chains.rounds);
  float out[Vec::kWidth];
  for (const Vec& value : x) {
    value.store(out);
    for (const float element : out) {
      chains.sum += element;
    }
  }
}

void copy_floats(const float* from, float* to, std::int64_t count) {
  for (std::int64_t i = 0; i < count; i += Vec::kWidth) {
    Vec::load(from + i).store(to + i);
  }
}

}  // namespace convoy::bench::CONVOY_ISA_NAMESPACE
