// The rectifier over plain arrays, compiled once per instruction set.
#pragma once

#include <cstdint>

#include "core/base/isa.h"

namespace convoy::nn {

CONVOY_KERNEL(relu_forward, (const float* x, float* y, std::int64_t count))

/// y = max(y, 0): what relu_forward writes.
CONVOY_KERNEL(relu_in_place, (float* y, std::int64_t count))

/// Clears, in place, the elements of `grad` whose output `y` is 0 or less.
CONVOY_KERNEL(relu_backward, (const float* y, float* grad, std::int64_t count))

}  // namespace convoy::nn
