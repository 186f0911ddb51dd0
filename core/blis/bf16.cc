#include "core/blis/bf16.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/base/isa.h"
#include "core/base/parallel.h"
#include "core/blis/bf16_kernel.h"

namespace convoy::blis {

bool bf16_supported() {
#ifdef CONVOY_X86_KERNELS
  return active_isa() >= Isa::kAvx512 && __builtin_cpu_supports("avx512bf16");
#else
  return false;
#endif
}

bool bf16_in_tiles() {
  return active_isa() == Isa::kAmx;
}

PoolArray<Bf16> bf16_pairs(const float* matrix, std::int64_t rows, std::int64_t columns) {
  const std::int64_t pairs = (rows + 1) / 2;
  PoolArray<Bf16> rounded(pairs * columns * 2);
  parallel_for(pairs, [&](std::int64_t begin, std::int64_t end, int) {
    bf16_round_pairs({.rows = std::min(2 * end, rows) - 2 * begin,
                      .columns = columns,
                      .from = matrix + 2 * begin * columns,
                      .from_stride = columns,
                      .to = rounded.data() + 2 * begin * columns,
                      .to_stride = 2 * columns});
  });
  return rounded;
}

#ifdef CONVOY_X86_KERNELS
void bf16_multiply(const Bf16Product& product) {
  static const auto multiply = active_isa() == Isa::kAmx ? amx::multiply : avx512bf16::multiply;
  multiply(product);
}
#else
void bf16_round_rows(const Bf16Rounding& /*rounding*/) {
  fail("this build has no bf16 kernels: bf16_supported() was not asked");
}
void bf16_round_pairs(const Bf16Rounding& /*rounding*/) {
  fail("this build has no bf16 kernels: bf16_supported() was not asked");
}
void bf16_multiply(const Bf16Product& /*product*/) {
  fail("this build has no bf16 kernels: bf16_supported() was not asked");
}
#endif

}  // namespace convoy::blis
