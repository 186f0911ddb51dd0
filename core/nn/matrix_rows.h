// What Linear's products do to their operands before: copies of rows, and how much is zero.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/nn/sparse_product_kernel.h"
#include "core/tensor/tensor.h"

namespace convoy::nn {

/// Whether more than `percent` of the elements are zero.
inline bool is_sparse(const Tensor& x, std::int64_t percent) {
  static const auto count = count_zeros_kernel();
  std::int64_t zeros = 0;
  count(x.data(), x.elements(), zeros);
  return zeros * 100 > x.elements() * percent;
}

/// To rows that begin with a cache line each: of others most vectors lie across two lines, and are
/// loaded in twice the time.
inline void copy_rows(std::int64_t rows, std::int64_t columns, const float* from,
                      std::int64_t from_stride, float* to, std::int64_t to_stride) {
  for (std::int64_t row = 0; row < rows; ++row) {
    std::copy_n(from + row * from_stride, columns, to + row * to_stride);
  }
}

}  // namespace convoy::nn
