// Products of bf16 matrices: the operands are floats rounded to their upper halves, the sums are
// floats. With AMX whole tiles are multiplied by one instruction (tdpbf16ps); with AVX512-BF16
// alone two multiply-adds a lane (vdpbf16ps), twice the peak of float32.
//
// Both multiply pairs that lie side by side along k. So A is kept by rows, and B with
// each two of its rows interleaved: (k/2, n, 2). An odd k is filled up with zeros.
#pragma once

#include <cstdint>

#include "core/tensor/pool_array.h"

namespace convoy::blis {

/// The upper half of a float.
using Bf16 = std::uint16_t;

/// Whether this CPU has AVX512-BF16 and CONVOY_ISA does not rule it out. REQUIRED by all functions
/// below. They are thread safe, and but for bf16_pairs they allocate nothing.
bool bf16_supported();

/// Whether AMX does the products.
bool bf16_in_tiles();

/// Floats to be rounded, to nearest even; numbers below 2^-126 become zero.
struct Bf16Rounding {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  const float* from = nullptr;
  std::int64_t from_stride = 0;
  Bf16* to = nullptr;
  std::int64_t to_stride = 0;  ///< of a row, or of a pair of rows
};

/// A: row by row; a zero is put behind an odd number of columns.
void bf16_round_rows(const Bf16Rounding& rounding);
/// B: two rows at a time, (ceil(rows / 2), columns, 2).
void bf16_round_pairs(const Bf16Rounding& rounding);
/// B from a whole matrix (rows x columns) without gaps. Uses all threads.
PoolArray<Bf16> bf16_pairs(const float* matrix, std::int64_t rows, std::int64_t columns);

/// Sums are made along so many pairs at a time.
constexpr std::int64_t kBf16Pairs = 16;

/// C = start + sum_{i < batch} A_i B_i, where A_i is (m x 2 pairs), B_i (2 pairs x n) and C (m x
/// n). Strides count elements; a row of A, a pair's and a row's of B and a row of C are contiguous.
/// That for `runs` A of m rows each, which share B; their C lie one behind the other.
struct Bf16Product {
  std::int64_t m = 0;
  std::int64_t n = 0;
  std::int64_t pairs = 0;
  std::int64_t batch = 1;
  std::int64_t runs = 1;
  const Bf16* a = nullptr;
  std::int64_t a_row_stride = 0;
  std::int64_t a_batch_stride = 0;
  /// All between the first row of the first run and the last of the last must be readable.
  std::int64_t a_run_stride = 0;
  /// A hint: rows of A are long and not in the first-level cache.
  bool prefetch_a = false;
  const Bf16* b = nullptr;
  std::int64_t b_pair_stride = 0;
  std::int64_t b_batch_stride = 0;
  float* c = nullptr;
  std::int64_t c_row_stride = 0;
  /// Where the sum starts: at C itself if `accumulate`, else at `bias` (n values for every row) if
  /// there is one, else at zero.
  bool accumulate = false;
  const float* bias = nullptr;
};

/// Each element of C is one chain of sums, by batch, then by pair: its bits do not depend on how m,
/// n, runs or batch are cut into calls, nor pairs, if at multiples of kBf16Pairs.
void bf16_multiply(const Bf16Product& product);

}  // namespace convoy::blis
