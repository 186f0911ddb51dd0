#include "core/blis/bf16.h"

#include "core/base/isa.h"

namespace convoy::blis {

bool bf16_supported() {
#ifdef CONVOY_X86_KERNELS
  return active_isa() == Isa::kAvx512 && __builtin_cpu_supports("avx512bf16");
#else
  return false;
#endif
}

#ifndef CONVOY_X86_KERNELS
void bf16_round_rows(const Bf16Rounding&) {}
void bf16_round_pairs(const Bf16Rounding&) {}
void bf16_multiply(const Bf16Product&) {}
#endif

}  // namespace convoy::blis
