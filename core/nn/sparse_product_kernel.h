// Products with a matrix of which much is zero, as what is behind a ReLU: zeros are left out.
// Compiled once per instruction set.
#pragma once

#include <cstdint>

#include "core/base/isa.h"

namespace convoy::nn {

/// C (m x n) = A (m x k) B (k x n), or C += A B. Strides count floats; rows are contiguous. C must
/// not overlap A or B, which is best so small that k rows of it stay in the first-level cache.
struct SparseProduct {
  std::int64_t m;
  std::int64_t n;
  std::int64_t k;  ///< <= kMostSparse
  const float* a;
  std::int64_t a_row_stride;
  const float* b;
  std::int64_t b_row_stride;
  float* c;
  std::int64_t c_row_stride;
  bool accumulate;
};
constexpr std::int64_t kMostSparse = 64;

/// Each element of C is one chain of multiply-adds by k, as brgemm's (core/blis/brgemm.h): what is
/// left out would add 0, so that the bits are the same if B is finite. Thread safe.
CONVOY_KERNEL(multiply_sparse, (const SparseProduct& product))

/// How many of `count` values are zero.
CONVOY_KERNEL(count_zeros, (const float* values, std::int64_t count, std::int64_t& zeros))

}  // namespace convoy::nn
