// Batch norm's passes over `pixels` rows of `channels` numbers, compiled once per instruction set.
// Every sum is taken in the order of the pixels, whatever the instruction set.
#pragma once

#include <cstdint>

#include "core/base/isa.h"

namespace convoy::nn {

/// sums[c] += sum of x; sums[channels + c] += sum of x^2.
CONVOY_KERNEL(batch_norm_sums,
              (const float* x, std::int64_t pixels, std::int64_t channels, double* sums))

/// y = (x - mean) * scale + shift.
CONVOY_KERNEL(batch_norm_apply,
              (const float* x, std::int64_t pixels, std::int64_t channels, const float* mean,
               const float* scale, const float* shift, float* y))

/// sums[c] += sum of dy; sums[channels + c] += sum of dy * (x - mean).
CONVOY_KERNEL(batch_norm_gradient_sums, (const float* x, const float* dy, std::int64_t pixels,
                                         std::int64_t channels, const float* mean, double* sums))

/// dy = (dy - mean_dy - (x - mean) * slope) * scale, in place.
CONVOY_KERNEL(batch_norm_gradient,
              (const float* x, std::int64_t pixels, std::int64_t channels, const float* mean,
               const float* scale, const float* mean_dy, const float* slope, float* dy))

}  // namespace convoy::nn
