// What a layer multiplies: the choice is made when a model is built. PyTorch calls it autocast.
#pragma once

#include "core/base/check.h"
#include "core/base/host_name.h"
#include "core/blis/bf16.h"

namespace convoy::nn {

/// Weights, gradients, sums and all else are float32 in either case; kBfloat16 rounds the operands
/// of products on their way into these.
enum class Precision { kFloat32, kBfloat16 };

/// Throws Error for kBfloat16 on a CPU that cannot multiply it.
inline void check_precision(Precision precision) {
  check(precision == Precision::kFloat32 || blis::bf16_supported(),
        "precision bf16: {} has no CPU with AVX512-BF16 (or CONVOY_ISA hides it). Leave it out, or "
        "use a host whose /proc/cpuinfo has the flag avx512_bf16",
        host_name());
}

}  // namespace convoy::nn
