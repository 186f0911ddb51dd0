#include "core/nn/sparse_product_kernel.h"

#include <algorithm>
#include <type_traits>

#include "core/base/vec.h"
#include "core/base/vec_list.h"

namespace convoy::nn::CONVOY_ISA_NAMESPACE {
namespace {

using std::int64_t;

// Sums of one row of C that are made at once, in vectors: they and one factor fit the registers,
// and with kMostSparse / 2 rows so many columns of B fit the first-level cache.
constexpr int kMaxVectors = kVecRegisters == 32 ? 16 : 8;

// What is not zero of a row of A, and where its rows of B begin.
struct Factors {
  float values[kMostSparse + VecList::kSlack];
  std::int32_t offsets[kMostSparse + VecList::kSlack];
  int64_t count = 0;
};

void list(const float* row, int64_t k, int64_t b_row_stride, Factors& factors) {
  const auto stride = static_cast<std::int32_t>(b_row_stride);
  VecList kept{factors.values, factors.offsets};
  VecOffsets offsets = VecOffsets::multiples(stride);
  int64_t i = 0;
  for (; i + Vec::kWidth <= k; i += Vec::kWidth) {
    const Vec values = Vec::load(row + i);
    kept.append(nonzero(values), values, offsets);
    offsets = offsets + Vec::kWidth * stride;
  }
  for (; i < k; ++i) {
    kept.append(row[i] != 0.0F, row[i], static_cast<std::int32_t>(i) * stride);
  }
  factors.count = kept.count;
}

// Some columns of one row of C: `vectors` vectors, of which the last has `last` columns if Partial.
template <int vectors, bool Partial>
void add_rows(const Factors& factors, const float* b, float* c, bool accumulate, int last) {
  const auto load = [last](const float* p, int v) {
    return Partial && v == vectors - 1 ? Vec::load_first(p + v * Vec::kWidth, last)
                                       : Vec::load(p + v * Vec::kWidth);
  };
  Vec sum[vectors];
#pragma GCC unroll 16
  for (int v = 0; v < vectors; ++v) {
    sum[v] = accumulate ? load(c, v) : Vec::zero();
  }
  for (int64_t i = 0; i < factors.count; ++i) {
    const Vec factor = Vec::broadcast(factors.values + i);
    const float* row = b + factors.offsets[i];
#pragma GCC unroll 16
    for (int v = 0; v < vectors; ++v) {
      sum[v].add_product(factor, load(row, v));
    }
  }
#pragma GCC unroll 16
  for (int v = 0; v < vectors; ++v) {
    if (Partial && v == vectors - 1) {
      sum[v].store_first(c + v * Vec::kWidth, last);
    } else {
      sum[v].store(c + v * Vec::kWidth);
    }
  }
}

// Rows of A whose factors are listed at a time.
constexpr int64_t kListedRows = 32;

// All columns from `column` on, as many vectors at a time as there are, down to half of the last.
// `factors` are those of p's rows.
template <int vectors = kMaxVectors>
void multiply(const SparseProduct& p, const Factors* factors, int64_t column) {
  const auto add = [&]<bool Partial>(std::bool_constant<Partial>, int last) {
    for (int64_t row = 0; row < p.m; ++row) {
      add_rows<vectors, Partial>(factors[row], p.b + column, p.c + row * p.c_row_stride + column,
                                 p.accumulate, last);
    }
  };
  for (; column + vectors * Vec::kWidth <= p.n; column += vectors * Vec::kWidth) {
    add(std::false_type(), Vec::kWidth);
  }
  const int64_t left = p.n - column;
  if (left > (vectors - 1) * Vec::kWidth) {
    add(std::true_type(), static_cast<int>(left - (vectors - 1) * Vec::kWidth));
  } else if constexpr (vectors > 1) {
    if (left > 0) {
      multiply<vectors / 2>(p, factors, column);
    }
  }
}

}  // namespace

void multiply_sparse(const SparseProduct& p) {
  Factors factors[kListedRows];
  SparseProduct part = p;
  for (int64_t row = 0; row < p.m; row += kListedRows) {
    part.m = std::min(kListedRows, p.m - row);
    part.c = p.c + row * p.c_row_stride;
    for (int64_t i = 0; i < part.m; ++i) {
      list(p.a + (row + i) * p.a_row_stride, p.k, p.b_row_stride, factors[i]);
    }
    multiply(part, factors, 0);
  }
}

void count_zeros(const float* values, int64_t count, int64_t& zeros) {
  std::int32_t sum = 0;
  for (int64_t i = 0; i < count; ++i) {
    sum += static_cast<std::int32_t>(values[i] == 0.0F);
  }
  zeros = sum;
}

}  // namespace convoy::nn::CONVOY_ISA_NAMESPACE
