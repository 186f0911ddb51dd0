// The ways to compute bf16_multiply, one for each kind of CPU: core/blis/bf16.cc picks.
#pragma once

#include "core/blis/bf16.h"

namespace convoy::blis {

namespace avx512bf16 {
void multiply(const Bf16Product& product);
}

/// REQUIRES: active_isa() is kAmx, and a_pair_stride 2.
namespace amx {
void multiply(const Bf16Product& product);
}

}  // namespace convoy::blis
