// The register tiles of brgemm, compiled once per instruction set.
//
// A tile keeps ROWS x VECTORS accumulators in registers while it walks the whole batch and k: each
// step loads VECTORS vectors of B and multiplies them with one broadcast element of A per row.
//
// The fewer other instructions there are for each multiply-add, the faster it is. With AVX-512, 6
// rows of 4 vectors need 10 loads for 24 of them, and the rows' offsets stay in registers; 14 of 2
// need 16 for 28, and 4 more for offsets (on Ice Lake 0.7 to 0.8 of the speed, in busy moments and
// in quiet ones). Two steps between branches are 1.00 to 1.04 times as fast as one with AVX2, and
// 1.00 to 1.07 in busy moments; 0.97 where k is 3. AVX-512 has not been measured.
#include "core/blis/brgemm.h"

#include <algorithm>
#include <utility>

#include "core/base/vec.h"

namespace convoy::blis {
namespace {

constexpr int kVectors = kVecRegisters == 32 ? 4 : 2;

// Of a tile, whose sums, vectors of B and element of A fill the registers: 6, 9, 12 and 12 rows of
// 4 to 1 vectors if there are 32, 6 and 12 rows of 2 and 1 if there are 16. More rows have more
// offsets than there are registers for addresses.
constexpr int max_rows(int vectors) {
  return std::min((kVecRegisters - 1 - vectors) / vectors, 12);
}

// One tile of C, whose first row is `first` of the whole. `last` is how many floats of the last
// vector exist; kWidth unless Partial.
template <int Rows, int Vectors, bool Partial>
requires(Vectors >= 1 && Vectors <= 4) inline void tile(const Brgemm& g, std::int64_t first,
                                                        const float* b, float* c, const float* bias,
                                                        int last) {
  const auto load = [last](const float* p, int v) {
    return Partial && v == Vectors - 1 ? Vec::load_first(p + v * Vec::kWidth, last)
                                       : Vec::load(p + v * Vec::kWidth);
  };
  // The loops over rows are unrolled by order, and B's vectors are no array: left alone, g++ 12
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
#pragma GCC unroll 2
      for (std::int64_t k = g.k; k > 0; --k) {
        const Vec b0 = load(b_row, 0);
        const Vec b1 = Vectors > 1 ? load(b_row, 1) : b0;
        const Vec b2 = Vectors > 2 ? load(b_row, 2) : b0;
        const Vec b3 = Vectors > 3 ? load(b_row, 3) : b0;
#pragma GCC unroll 16
        for (int row = 0; row < Rows; ++row) {
          const Vec a_vec = Vec::broadcast(a_column + a_row[row]);
          sum[row][0].add_product(a_vec, b0);
          if constexpr (Vectors > 1) {
            sum[row][1].add_product(a_vec, b1);
          }
          if constexpr (Vectors > 2) {
            sum[row][2].add_product(a_vec, b2);
          }
          if constexpr (Vectors > 3) {
            sum[row][3].add_product(a_vec, b3);
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

// The columns from `column` on, fewer than `Vectors` whole vectors or as many.
template <int Vectors>
inline void last_panel(const Brgemm& g, std::int64_t column) {
  const auto last = static_cast<int>(g.n - column) - (Vectors - 1) * Vec::kWidth;
  if (last == Vec::kWidth) {
    panel<Vectors, false>(g, column, last);
  } else if (last > 0) {
    panel<Vectors, true>(g, column, last);
  } else if constexpr (Vectors > 1) {
    last_panel<Vectors - 1>(g, column);
  }
}

}  // namespace

namespace CONVOY_ISA_NAMESPACE {

void brgemm(const Brgemm& g) {
  std::int64_t column = 0;
  for (; column + kVectors * Vec::kWidth < g.n; column += kVectors * Vec::kWidth) {
    panel<kVectors, false>(g, column, Vec::kWidth);
  }
  last_panel<kVectors>(g, column);
}

}  // namespace CONVOY_ISA_NAMESPACE
}  // namespace convoy::blis
