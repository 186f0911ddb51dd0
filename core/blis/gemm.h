// The door to BLIS: general matrix products. No other header of convoy shows blis.h.
#pragma once

#include <cstdint>

namespace convoy::blis {

/// A matrix that somebody else owns; strides count floats and may be swapped to transpose.
struct ConstMatrix {
  const float* data = nullptr;
  std::int64_t row_stride = 0;
  std::int64_t column_stride = 1;
};

/// One that is written; its rows are contiguous.
struct Matrix {
  float* data = nullptr;
  std::int64_t row_stride = 0;
};

/// C (m x n) = A (m x k) B (k x n), or C += A B. Runs on the calling thread, may be called from
/// several at once. It is BLIS's own bli_sgemm over a copy of BLIS's context that holds our
/// micro-kernel, so nothing is packed; only a B without contiguous rows is copied into such rows.
void gemm(std::int64_t m, std::int64_t n, std::int64_t k, const ConstMatrix& a,
          const ConstMatrix& b, const Matrix& c, bool accumulate);

/// For reports: BLIS's version and the kernels in use, "BLIS 0.9.0 (haswell), kernels avx512, amx".
const char* describe();

}  // namespace convoy::blis
