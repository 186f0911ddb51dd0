// The register tiles of brgemm, compiled once per instruction set.
//
// A tile keeps ROWS x VECTORS accumulators in registers while it walks the whole batch and k: each
// step loads VECTORS vectors of B and multiplies them with one broadcast element of A per row. 14
// rows of 2 vectors fill AVX-512's 32 registers, 6 rows the 16 of AVX2 and SSE; so do 14 of 1
// vector.
#include "core/blis/brgemm.h"

#include <utility>

#include "core/base/vec.h"

namespace convoy::blis {
namespace {

constexpr int kVectors = 2;

constexpr int max_rows(int vectors) {
  return vectors == 1 || kVecRegisters == 32 ? 14 : 6;
}

// One tile of C, whose first row is `first` of the whole. `last` is how many floats of the last
// vector exist; kWidth unless Partial.
template <int Rows, int Vectors, bool Partial>
requires(Vectors == 1 || Vectors == 2) inline void tile(const Brgemm& g, std::int64_t first,
                                                        const float* b, float* c, const float* bias,
                                                        int last) {
  const auto load = [last](const float* p, int v) {
    return Partial && v == Vectors - 1 ? Vec::load_first(p + v * Vec::kWidth, last)
                                       : Vec::load(p + v * Vec::kWidth);
  };
  // The loops over rows are unrolled by order, and B's two vectors are no array: left alone, g++ 12
  // keeps some of it in memory, which costs more than half of the speed.
  Vec sum[Rows][Vectors];
#pragma GCC unroll 16
  for (int row = 0; row < Rows; ++row) {
    for (int v = 0; v < Vectors; ++v) {
      sum[row][v] = g.accumulate      ? load(c + row * g.c_row_stride, v)
                    : bias != nullptr ? load(bias, v)
                                      : Vec::zero();
    }
  }
  if (g.c_is_far) {
#pragma GCC unroll 16
    for (int row = 0; row < Rows; ++row) {
      for (int v = 0; v < Vectors; ++v) {
        __builtin_prefetch(c + row * g.c_row_stride + v * Vec::kWidth, 1);
      }
    }
  }
  // Counted from the first row, or one register more would be taken.
  const auto a_start = [&g](std::int64_t row) {
    return g.a_rows != nullptr ? g.a_rows[row] : row * g.a_row_stride;
  };
  const float* a = g.a + a_start(first);
  std::int64_t a_row[Rows];
#pragma GCC unroll 16
  for (int row = 0; row < Rows; ++row) {
    a_row[row] = a_start(first + row) - a_start(first);
  }
  const std::int64_t column_stride = g.a_column_stride;
  const std::int64_t b_row_stride = g.b_row_stride;
  const float* a_batch = a;
  const float* b_batch = b;
  for (std::int64_t j = g.groups; j > 0; --j) {
    for (std::int64_t i = g.batch; i > 0; --i) {
      const float* a_column = a_batch;
      const float* b_row = b_batch;
      a_batch += g.a_batch_stride;
      b_batch += g.b_batch_stride;
      for (std::int64_t k = g.k; k > 0; --k) {
        const Vec b_first = load(b_row, 0);
        const Vec b_last = Vectors == 2 ? load(b_row, 1) : b_first;
#pragma GCC unroll 16
        for (int row = 0; row < Rows; ++row) {
          const Vec a_vec = Vec::broadcast(a_column + a_row[row]);
          sum[row][0].add_product(a_vec, b_first);
          if constexpr (Vectors == 2) {
            sum[row][1].add_product(a_vec, b_last);
          }
        }
        a_column += column_stride;
        b_row += b_row_stride;
      }
    }
    a_batch += g.a_group_stride - g.batch * g.a_batch_stride;
    b_batch += g.b_group_stride - g.batch * g.b_batch_stride;
  }
  const std::int64_t c_row_stride = g.c_row_stride;
#pragma GCC unroll 16
  for (int row = 0; row < Rows; ++row) {
    for (int v = 0; v < Vectors; ++v) {
      float* out = c + v * Vec::kWidth;
      if (Partial && v == Vectors - 1) {
        sum[row][v].store_first(out, last);
      } else {
        sum[row][v].store(out);
      }
    }
    c += c_row_stride;
  }
}

// The tiles by their number of rows, from 1.
using Tile = void(const Brgemm& g, std::int64_t first, const float* b, float* c, const float* bias,
                  int last);
template <int Vectors, bool Partial, int... Rows>
inline Tile* tile_of_rows(std::integer_sequence<int, Rows...>, std::int64_t rows) {
  static constexpr Tile* kTiles[] = {tile<Rows + 1, Vectors, Partial>...};
  return kTiles[rows - 1];
}

// All rows of one panel of `Vectors` vectors, in tiles of even height.
template <int Vectors, bool Partial>
inline void panel(const Brgemm& g, std::int64_t column, int last) {
  constexpr int kMaxRows = max_rows(Vectors);
  const std::int64_t tiles = (g.m + kMaxRows - 1) / kMaxRows;
  const std::int64_t even = tiles == 0 ? 0 : g.m / tiles;
  const std::int64_t taller = g.m - even * tiles;
  std::int64_t row = 0;
  for (std::int64_t i = 0; i < tiles; ++i) {
    const std::int64_t rows = i < taller ? even + 1 : even;
    tile_of_rows<Vectors, Partial>(std::make_integer_sequence<int, kMaxRows>(), rows)(
        g, row, g.b + column, g.c + row * g.c_row_stride + column,
        g.bias == nullptr ? nullptr : g.bias + column, last);
    row += rows;
  }
}

}  // namespace

namespace CONVOY_ISA_NAMESPACE {

void brgemm(const Brgemm& g) {
  std::int64_t column = 0;
  for (; column + kVectors * Vec::kWidth <= g.n; column += kVectors * Vec::kWidth) {
    panel<kVectors, false>(g, column, Vec::kWidth);
  }
  const auto left = static_cast<int>(g.n - column);
  if (left > Vec::kWidth) {
    panel<2, true>(g, column, left - Vec::kWidth);
  } else if (left > 0) {
    panel<1, true>(g, column, left);
  }
}

}  // namespace CONVOY_ISA_NAMESPACE
}  // namespace convoy::blis
