#include "core/base/isa.h"

#include <cstdlib>

#ifdef CONVOY_X86_KERNELS
#include <asm/prctl.h>
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "core/base/check.h"

namespace convoy {
namespace {

#ifdef CONVOY_X86_KERNELS
// Whether there are tiles for bf16, and the kernel lets this process keep state in them, for which
// it wants to be asked (Linux 5.16: Documentation/arch/x86/xstate.rst).
bool has_amx() {
  constexpr unsigned kBf16 = 1U << 22;
  constexpr unsigned kTile = 1U << 24;
  constexpr long kTileData = 18;
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  return __builtin_cpu_supports("avx512bf16") && __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 &&
         (d & kBf16) != 0 && (d & kTile) != 0 &&
         syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, kTileData) == 0;
}
#endif

Isa best_isa() {
#ifdef CONVOY_X86_KERNELS
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) {
    return has_amx() ? Isa::kAmx : Isa::kAvx512;
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
  for (const Isa isa : {Isa::kGeneric, Isa::kAvx2, Isa::kAvx512, Isa::kAmx}) {
    if (isa_name(isa) == wish) {
      check(isa <= best, "CONVOY_ISA={}: this CPU has no {}; its best is {}. Unset CONVOY_ISA.",
            wish, wish, isa_name(best));
      return isa;
    }
  }
  fail("CONVOY_ISA={}: unknown instruction set. Use generic, avx2, avx512 or amx, or unset it.",
       wish);
}

}  // namespace

Isa active_isa() {
  static const Isa isa = chosen_isa();
  return isa;
}

std::string_view isa_name(Isa isa) {
  switch (isa) {
    case Isa::kAmx:
      return "amx";
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
