// bf16_multiply on CPUs with AMX: tiles of 16 x 16 sums, four of them at a time, each step adding
// products along 16 pairs. Compiled for AMX alone.
//
// A block of C is 32 x 32 at most, smaller at the edges: the tiles are told how many rows and
// columns they have. Where rows of A lie in runs with a short gap between them, as those of a
// convolution's padded image do, a tile goes through the gap too, and what came of it is dropped.
#include <immintrin.h>

#include <algorithm>
#include <cstring>

#include "core/blis/bf16_kernel.h"

namespace convoy::blis {
namespace {

using std::int64_t;

constexpr int64_t kSide = 16;               // rows and columns of a tile of C
constexpr int64_t kTilePairs = kBf16Pairs;  // of A and B
constexpr int64_t kPairBytes = 2 * sizeof(Bf16);

// What the instruction that describes the tiles reads.
struct alignas(64) Configuration {
  std::uint8_t palette = 1;
  std::uint8_t start_row = 0;
  std::uint8_t reserved[14] = {};
  std::uint16_t row_bytes[16] = {};
  std::uint8_t rows[16] = {};
};

// A block of C: the first of its rows of A, the first of its columns, and how many.
struct Block {
  int64_t row;
  int64_t rows;
  int64_t column;
  int64_t columns;
  bool two_rows() const { return rows > kSide; }
  bool two_columns() const { return columns > kSide; }
};

// Tiles 0 to 3 are C, two by two; 4 and 5 its rows of A; 6 and 7 its columns of B.
void configure(int64_t rows, int64_t columns) {
  Configuration c;
  const auto describe = [&c](int tile, int64_t tile_rows, int64_t row_bytes) {
    c.rows[tile] = static_cast<std::uint8_t>(tile_rows);
    c.row_bytes[tile] = static_cast<std::uint16_t>(tile_rows > 0 ? row_bytes : 0);
  };
  for (int i = 0; i < 2; ++i) {
    const int64_t high = std::clamp<int64_t>(rows - i * kSide, 0, kSide);
    for (int j = 0; j < 2; ++j) {
      const int64_t wide = std::clamp<int64_t>(columns - j * kSide, 0, kSide);
      describe(2 * i + j, wide > 0 ? high : 0, wide * static_cast<int64_t>(sizeof(float)));
    }
    describe(4 + i, high, kTilePairs * kPairBytes);
    const int64_t wide = std::clamp<int64_t>(columns - i * kSide, 0, kSide);
    describe(6 + i, wide > 0 ? kTilePairs : 0, wide * kPairBytes);
  }
  // g++ 12 takes the instruction to read eight bytes.
  asm volatile("" ::"r"(&c) : "memory");
  _tile_loadconfig(&c);
}

// Adds the products along one step of pairs. Strides in bytes.
template <bool two_rows, bool two_columns>
inline void step(const Bf16* a, int64_t a_stride, const Bf16* b, int64_t b_stride) {
  _tile_loadd(6, b, b_stride);
  if constexpr (two_columns) {
    _tile_loadd(7, b + 2 * kSide, b_stride);
  }
  _tile_loadd(4, a, a_stride);
  if constexpr (two_rows) {
    _tile_loadd(5, reinterpret_cast<const char*>(a) + kSide * a_stride, a_stride);
  }
  _tile_dpbf16ps(0, 4, 6);
  if constexpr (two_columns) {
    _tile_dpbf16ps(1, 4, 7);
  }
  if constexpr (two_rows) {
    _tile_dpbf16ps(2, 5, 6);
    if constexpr (two_columns) {
      _tile_dpbf16ps(3, 5, 7);
    }
  }
}

// The last pairs, fewer than a step's, filled up with zeros.
template <bool two_rows, bool two_columns>
void last_step(const Block& block, const Bf16* a, int64_t a_stride, const Bf16* b, int64_t b_stride,
               int64_t pairs) {
  alignas(64) Bf16 a_tiles[2 * kSide][2 * kTilePairs] = {};
  alignas(64) Bf16 b_tiles[kTilePairs][4 * kSide] = {};
  for (int64_t row = 0; row < block.rows; ++row) {
    std::memcpy(a_tiles[row], reinterpret_cast<const char*>(a) + row * a_stride,
                static_cast<std::size_t>(pairs * kPairBytes));
  }
  for (int64_t pair = 0; pair < pairs; ++pair) {
    std::memcpy(b_tiles[pair], reinterpret_cast<const char*>(b) + pair * b_stride,
                static_cast<std::size_t>(block.columns * kPairBytes));
  }
  asm volatile("" ::"r"(a_tiles), "r"(b_tiles) : "memory");
  step<two_rows, two_columns>(a_tiles[0], sizeof a_tiles[0], b_tiles[0], sizeof b_tiles[0]);
}

// Rows of A as they are a step further. Tiles that come from the second-level cache hold up the
// products, as loads of rows far apart are nothing that the CPU sees coming.
void prefetch_rows(const Bf16* a, int64_t a_stride, int64_t rows) {
  const char* row = reinterpret_cast<const char*>(a + 2 * kTilePairs);
  for (int64_t i = 0; i < rows; ++i, row += a_stride) {
    _mm_prefetch(row, _MM_HINT_T0);
  }
}

template <bool two_rows, bool two_columns>
void add_products(const Bf16Product& g, const Block& block) {
  const Bf16* a = g.a + block.row * g.a_row_stride;
  const Bf16* b = g.b + 2 * block.column;
  const auto a_stride = g.a_row_stride * static_cast<int64_t>(sizeof(Bf16));
  const auto b_stride = g.b_pair_stride * static_cast<int64_t>(sizeof(Bf16));
  for (int64_t i = 0; i < g.batch; ++i, a += g.a_batch_stride, b += g.b_batch_stride) {
    int64_t pair = 0;
    for (; pair + kTilePairs <= g.pairs; pair += kTilePairs) {
      if (g.prefetch_a) {
        prefetch_rows(a + 2 * pair, a_stride, block.rows);
      }
      step<two_rows, two_columns>(a + 2 * pair, a_stride, b + pair * g.b_pair_stride, b_stride);
    }
    if (pair < g.pairs) {
      last_step<two_rows, two_columns>(block, a + 2 * pair, a_stride, b + pair * g.b_pair_stride,
                                       b_stride, g.pairs - pair);
    }
  }
}

// Where rows of A have their sums in C. A period of A's rows is one run and the gap behind it.
struct RowsOfC {
  int64_t run;
  int64_t period;
  bool gapless() const { return run == period; }
};

// Calls visit(row of the block, row of C) for those rows of the block that have one.
template <typename Visit>
inline void for_each_row(const RowsOfC& rows, const Block& block, const Visit& visit) {
  int64_t place = block.row % rows.period;
  int64_t row_of_c = block.row / rows.period * rows.run + std::min(place, rows.run);
  for (int64_t row = 0; row < block.rows; ++row) {
    if (place < rows.run) {
      visit(row, row_of_c++);
    }
    place = place + 1 == rows.period ? 0 : place + 1;
  }
}

using Sums = float[2 * kSide][2 * kSide];

void zero_sums(const Block& block) {
  _tile_zero(0);
  if (block.two_columns()) {
    _tile_zero(1);
  }
  if (block.two_rows()) {
    _tile_zero(2);
    if (block.two_columns()) {
      _tile_zero(3);
    }
  }
}

void load_sums(const float* from, int64_t stride_bytes, const Block& block) {
  const auto* second = reinterpret_cast<const char*>(from) + kSide * stride_bytes;
  _tile_loadd(0, from, stride_bytes);
  if (block.two_columns()) {
    _tile_loadd(1, from + kSide, stride_bytes);
  }
  if (block.two_rows()) {
    _tile_loadd(2, second, stride_bytes);
    if (block.two_columns()) {
      _tile_loadd(3, second + kSide * sizeof(float), stride_bytes);
    }
  }
}

void store_sums(float* to, int64_t stride_bytes, const Block& block) {
  auto* second = reinterpret_cast<char*>(to) + kSide * stride_bytes;
  _tile_stored(0, to, stride_bytes);
  if (block.two_columns()) {
    _tile_stored(1, to + kSide, stride_bytes);
  }
  if (block.two_rows()) {
    _tile_stored(2, second, stride_bytes);
    if (block.two_columns()) {
      _tile_stored(3, second + kSide * sizeof(float), stride_bytes);
    }
  }
}

void start(const Bf16Product& g, const RowsOfC& rows, const Block& block, Sums& sums) {
  const float* c = g.c + block.column;
  if (!g.accumulate && g.bias == nullptr) {
    zero_sums(block);
  } else if (!g.accumulate) {
    load_sums(g.bias + block.column, 0, block);
  } else if (rows.gapless()) {
    load_sums(c + block.row * g.c_row_stride, g.c_row_stride * static_cast<int64_t>(sizeof(float)),
              block);
  } else {
    for_each_row(rows, block, [&](int64_t row, int64_t row_of_c) {
      std::memcpy(sums[row], c + row_of_c * g.c_row_stride,
                  static_cast<std::size_t>(block.columns) * sizeof(float));
    });
    asm volatile("" ::"r"(sums) : "memory");
    load_sums(sums[0], sizeof sums[0], block);
  }
}

void finish(const Bf16Product& g, const RowsOfC& rows, const Block& block, Sums& sums) {
  float* c = g.c + block.column;
  if (rows.gapless()) {
    store_sums(c + block.row * g.c_row_stride, g.c_row_stride * static_cast<int64_t>(sizeof(float)),
               block);
    return;
  }
  store_sums(sums[0], sizeof sums[0], block);
  if (block.columns == 2 * kSide) {
    for_each_row(rows, block, [&](int64_t row, int64_t row_of_c) {
      std::memcpy(c + row_of_c * g.c_row_stride, sums[row], sizeof sums[row]);
    });
  } else {
    for_each_row(rows, block, [&](int64_t row, int64_t row_of_c) {
      std::memcpy(c + row_of_c * g.c_row_stride, sums[row],
                  static_cast<std::size_t>(block.columns) * sizeof(float));
    });
  }
}

// All rows of A that `g` counts as one run, whichever of them C has.
void multiply_rows(const Bf16Product& g, const RowsOfC& rows) {
  alignas(64) Sums sums;
  int64_t configured_rows = 0;
  int64_t configured_columns = 0;
  for (int64_t column = 0; column < g.n; column += 2 * kSide) {
    for (int64_t row = 0; row < g.m; row += 2 * kSide) {
      const Block block{row, std::min(2 * kSide, g.m - row), column,
                        std::min(2 * kSide, g.n - column)};
      if (block.rows != configured_rows || block.columns != configured_columns) {
        configure(block.rows, block.columns);
        configured_rows = block.rows;
        configured_columns = block.columns;
      }
      start(g, rows, block, sums);
      (block.two_rows() ? block.two_columns() ? add_products<true, true> : add_products<true, false>
       : block.two_columns() ? add_products<false, true>
                             : add_products<false, false>)(g, block);
      finish(g, rows, block, sums);
    }
  }
}

}  // namespace

void amx::multiply(const Bf16Product& g) {
  // Gaps of up to a third of a run cost less than tiles that are not full.
  const int64_t period = g.a_row_stride == 0 ? 0 : g.a_run_stride / g.a_row_stride;
  Bf16Product one = g;
  one.runs = 1;
  if (g.runs > 1 && period >= g.m && period * g.a_row_stride == g.a_run_stride &&
      3 * (period - g.m) <= g.m) {
    one.m = (g.runs - 1) * period + g.m;
    multiply_rows(one, {.run = g.m, .period = period});
  } else {
    for (int64_t run = 0; run < g.runs; ++run) {
      multiply_rows(one, {.run = g.m, .period = g.m});
      one.a += g.a_run_stride;
      one.c += g.m * g.c_row_stride;
    }
  }
  _tile_release();
}

}  // namespace convoy::blis
