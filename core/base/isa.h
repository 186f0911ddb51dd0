// Which instruction set the kernels run with, decided once per process from CPUID.
//
// A kernel source is compiled once per instruction set (CMake: `convoy_isa_sources`), each time in
// the namespace CONVOY_ISA_NAMESPACE; `CONVOY_KERNEL` declares all of them, and the function it
// defines picks the one for this machine. One binary therefore runs everywhere, and the environment
// variable CONVOY_ISA=generic|avx2|avx512|amx forces a smaller set, which is how tests run each of
// them.
#pragma once

#include <string_view>

namespace convoy {

/// Each has all of the one before. AMX is used by bf16 products only (core/blis/bf16.h).
enum class Isa { kGeneric, kAvx2, kAvx512, kAmx };

/// The instruction set in use: the best of this CPU, or what CONVOY_ISA asks for.
/// Throws Error if CONVOY_ISA names an unknown set or one that the CPU does not have.
Isa active_isa();

/// "generic", "avx2", "avx512" or "amx".
std::string_view isa_name(Isa isa);

}  // namespace convoy

#ifdef CONVOY_X86_KERNELS
/// Declares the kernel `void name args` in every instruction set's namespace and defines
/// `name_kernel()`, which returns the one to call on this machine.
#define CONVOY_KERNEL(name, args)     \
  namespace generic {                 \
  void name args;                     \
  }                                   \
  namespace avx2 {                    \
  void name args;                     \
  }                                   \
  namespace avx512 {                  \
  void name args;                     \
  }                                   \
  inline auto name##_kernel() {       \
    switch (::convoy::active_isa()) { \
      case ::convoy::Isa::kAmx:       \
      case ::convoy::Isa::kAvx512:    \
        return &avx512::name;         \
      case ::convoy::Isa::kAvx2:      \
        return &avx2::name;           \
      case ::convoy::Isa::kGeneric:   \
        break;                        \
    }                                 \
    return &generic::name;            \
  }
#else
#define CONVOY_KERNEL(name, args) \
  namespace generic {             \
  void name args;                 \
  }                               \
  inline auto name##_kernel() {   \
    return &generic::name;        \
  }
#endif
