// Sums over the rows of a matrix, compiled once per instruction set: the gradient of a bias.
#pragma once

#include <cstdint>

#include "core/base/isa.h"

namespace convoy::nn {

/// sums[j] = sum over rows i, in order, of x[i * columns + j].
CONVOY_KERNEL(column_sums, (const float* x, std::int64_t rows, std::int64_t columns, float* sums))

}  // namespace convoy::nn
