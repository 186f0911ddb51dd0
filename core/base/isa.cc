#include "core/base/isa.h"

#include <cstdlib>

#include "core/base/check.h"

namespace convoy {
namespace {

Isa best_isa() {
#ifdef CONVOY_X86_KERNELS
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) {
    return Isa::kAvx512;
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    return Isa::kAvx2;
  }
#endif
  return Isa::kGeneric;
}

Isa chosen_isa() {
  const Isa best = best_isa();
  const char* wish = std::getenv("CONVOY_ISA");
  if (wish == nullptr || *wish == '\0') {
    return best;
  }
  for (const Isa isa : {Isa::kGeneric, Isa::kAvx2, Isa::kAvx512}) {
    if (isa_name(isa) == wish) {
      check(isa <= best, "CONVOY_ISA={}: this CPU has no {}; its best is {}. Unset CONVOY_ISA.",
            wish, wish, isa_name(best));
      return isa;
    }
  }
  fail("CONVOY_ISA={}: unknown instruction set. Use generic, avx2 or avx512, or unset it.", wish);
}

}  // namespace

Isa active_isa() {
  static const Isa isa = chosen_isa();
  return isa;
}

std::string_view isa_name(Isa isa) {
  switch (isa) {
    case Isa::kAvx512:
      return "avx512";
    case Isa::kAvx2:
      return "avx2";
    case Isa::kGeneric:
      break;
  }
  return "generic";
}

}  // namespace convoy
