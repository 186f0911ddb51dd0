// The micro-kernel under Conv2d and Linear: BLIS's unpacked ("sup") form with one stride more.
//
// BLIS's small/unpacked kernels multiply strided views without packing them. A convolution is a sum
// of such products, one per kernel row, so this kernel adds up a batch of products in registers:
// the batch-reduce GEMM of Georganas et al., "Harnessing Deep Learning via a Single Building
// Block", IPDPS 2020. With a batch of one it is BLIS's own form, and core/blis/gemm.cc registers it
// in BLIS's context as such.
#pragma once

#include <cstdint>

#include "core/base/isa.h"

namespace convoy::blis {

/// C = start + sum_{j < groups} sum_{i < batch} A_ji B_ji, where A_ji is (m x k), B_ji (k x n) and
/// C (m x n). Strides count floats; rows of B and of C are contiguous. C must not overlap A or B.
struct Brgemm {
  std::int64_t m = 0;
  std::int64_t n = 0;
  std::int64_t k = 0;
  std::int64_t batch = 1;
  std::int64_t groups = 1;
  const float* a = nullptr;
  std::int64_t a_row_stride = 0;
  /// Where each of the m rows of A begins, counted from `a`, or null: at multiples of a_row_stride.
  const std::int64_t* a_rows = nullptr;
  std::int64_t a_column_stride = 1;
  std::int64_t a_batch_stride = 0;
  std::int64_t a_group_stride = 0;
  const float* b = nullptr;
  std::int64_t b_row_stride = 0;
  std::int64_t b_batch_stride = 0;
  std::int64_t b_group_stride = 0;
  float* c = nullptr;
  std::int64_t c_row_stride = 0;
  /// C is in no cache: a tile of it is fetched while its sums are made, or storing would wait.
  bool c_is_far = false;
  /// Where the sum starts: at C itself if `accumulate`, else at `bias` (n values for every row) if
  /// there is one, else at zero.
  bool accumulate = false;
  const float* bias = nullptr;
};

/// Each element of C is one chain of multiply-adds, by group, then by batch, then by k: its bits do
/// not depend on how m, n, k, batch or groups are cut into calls. Thread safe; allocates nothing.
CONVOY_KERNEL(brgemm, (const Brgemm& product))

}  // namespace convoy::blis
