// The register tiles of bf16_multiply without AMX, and the rounding: compiled for AVX512-BF16
// alone. A tile is that of core/blis/brgemm_kernel.cc, with a pair of elements in each 32 bits of A
// and B.
#include <immintrin.h>

#include <cstring>

#include "core/blis/bf16_kernel.h"

namespace convoy::blis {
namespace {

using std::int64_t;

constexpr int kWidth = 16;
constexpr int kMaxRows = 14;

// Of the first `count` lanes; all from kWidth on.
__mmask16 first_lanes(int64_t count) {
  return static_cast<__mmask16>(count >= kWidth ? 0xFFFF : (1U << count) - 1);
}

__m256i rounded(__m512 values) {
  return (__m256i)_mm512_cvtneps_pbh(values);  // NOLINT: a vector's cast
}

// Two vectors, lane by lane. (Unmasked, g++ 12 warns of what its own header leaves undefined.)
__m512i interleaved(__m512 even, __m512 odd) {
  constexpr __mmask16 kAll = 0xFFFF;
  const __m512i high = _mm512_maskz_cvtepu16_epi32(kAll, rounded(odd));
  return _mm512_or_si512(_mm512_maskz_cvtepu16_epi32(kAll, rounded(even)),
                         _mm512_maskz_slli_epi32(kAll, high, 16));
}

// One pair for all lanes.
__m512bh broadcast(const Bf16* pair) {
  int bits = 0;
  std::memcpy(&bits, pair, sizeof bits);
  return (__m512bh)_mm512_set1_epi32(bits);  // NOLINT: a vector's cast
}

// One tile of C. `last` are the lanes of the last vector that exist; all unless Partial.
template <int Rows, int Vectors, bool Partial>
inline void tile(const Bf16Product& g, const Bf16* a, const Bf16* b, float* c, const float* bias,
                 __mmask16 last) {
  const auto load = [last](const float* p, int v) {
    return Partial && v == Vectors - 1 ? _mm512_maskz_loadu_ps(last, p + v * kWidth)
                                       : _mm512_loadu_ps(p + v * kWidth);
  };
  const auto load_pairs = [last](const Bf16* p, int v) {
    p += 2 * v * kWidth;
    return (__m512bh)(Partial && v == Vectors - 1 ? _mm512_maskz_loadu_epi32(last, p)  // NOLINT
                                                  : _mm512_loadu_si512(p));
  };
  __m512 sum[Rows][Vectors];
#pragma GCC unroll 16
  for (int row = 0; row < Rows; ++row) {
    for (int v = 0; v < Vectors; ++v) {
      sum[row][v] = g.accumulate      ? load(c + row * g.c_row_stride, v)
                    : bias != nullptr ? load(bias, v)
                                      : _mm512_setzero_ps();
    }
  }
  const int64_t row_stride = g.a_row_stride;
  for (int64_t i = 0; i < g.batch; ++i) {
    const Bf16* a_pair = a + i * g.a_batch_stride;
    const Bf16* b_pair = b + i * g.b_batch_stride;
    for (int64_t k = 0; k < g.pairs; ++k) {
      const __m512bh b_first = load_pairs(b_pair, 0);
      const __m512bh b_last = Vectors == 2 ? load_pairs(b_pair, 1) : b_first;
#pragma GCC unroll 16
      for (int row = 0; row < Rows; ++row) {
        const __m512bh a_vec = broadcast(a_pair + row * row_stride);
        sum[row][0] = _mm512_dpbf16_ps(sum[row][0], a_vec, b_first);
        if constexpr (Vectors == 2) {
          sum[row][1] = _mm512_dpbf16_ps(sum[row][1], a_vec, b_last);
        }
      }
      a_pair += 2;
      b_pair += g.b_pair_stride;
    }
  }
#pragma GCC unroll 16
  for (int row = 0; row < Rows; ++row) {
    for (int v = 0; v < Vectors; ++v) {
      float* out = c + row * g.c_row_stride + v * kWidth;
      if (Partial && v == Vectors - 1) {
        _mm512_mask_storeu_ps(out, last, sum[row][v]);
      } else {
        _mm512_storeu_ps(out, sum[row][v]);
      }
    }
  }
}

template <int Vectors, bool Partial, int MaxRows = kMaxRows>
inline void tile_of_rows(int rows, const Bf16Product& g, const Bf16* a, const Bf16* b, float* c,
                         const float* bias, __mmask16 last) {
  if constexpr (MaxRows > 0) {
    if (rows == MaxRows) {
      tile<MaxRows, Vectors, Partial>(g, a, b, c, bias, last);
    } else {
      tile_of_rows<Vectors, Partial, MaxRows - 1>(rows, g, a, b, c, bias, last);
    }
  }
}

// All rows of one panel of `Vectors` vectors, in tiles of even height.
template <int Vectors, bool Partial>
inline void panel(const Bf16Product& g, int64_t column, __mmask16 last) {
  const int64_t tiles = (g.m + kMaxRows - 1) / kMaxRows;
  for (int64_t i = 0; i < tiles; ++i) {
    const int64_t row = g.m * i / tiles;
    const auto rows = static_cast<int>(g.m * (i + 1) / tiles - row);
    tile_of_rows<Vectors, Partial>(rows, g, g.a + row * g.a_row_stride, g.b + 2 * column,
                                   g.c + row * g.c_row_stride + column,
                                   g.bias == nullptr ? nullptr : g.bias + column, last);
  }
}

}  // namespace

void avx512bf16::multiply(const Bf16Product& g) {
  Bf16Product run = g;
  for (int64_t i = 0; i < g.runs; ++i) {
    int64_t column = 0;
    for (; column + 2 * kWidth <= g.n; column += 2 * kWidth) {
      panel<2, false>(run, column, first_lanes(kWidth));
    }
    if (const int64_t left = g.n - column; left > kWidth) {
      panel<2, true>(run, column, first_lanes(left - kWidth));
    } else if (left > 0) {
      panel<1, true>(run, column, first_lanes(left));
    }
    run.a += g.a_run_stride;
    run.c += g.m * g.c_row_stride;
  }
}

void bf16_round_rows(const Bf16Rounding& r) {
  for (int64_t row = 0; row < r.rows; ++row) {
    const float* from = r.from + row * r.from_stride;
    Bf16* to = r.to + row * r.to_stride;
    int64_t column = 0;
    for (; column + 2 * kWidth <= r.columns; column += 2 * kWidth) {
      const __m512bh both = _mm512_cvtne2ps_pbh(_mm512_loadu_ps(from + column + kWidth),
                                                _mm512_loadu_ps(from + column));
      _mm512_storeu_si512(to + column, (__m512i)both);  // NOLINT: a vector's cast
    }
    for (; column < r.columns; column += kWidth) {
      const int64_t left = r.columns - column;
      _mm256_mask_storeu_epi16(to + column, first_lanes(left + left % 2),
                               rounded(_mm512_maskz_loadu_ps(first_lanes(left), from + column)));
    }
  }
}

void bf16_round_pairs(const Bf16Rounding& r) {
  for (int64_t row = 0; row < r.rows; row += 2) {
    const float* even = r.from + row * r.from_stride;
    const float* odd = even + r.from_stride;
    const bool alone = row + 1 == r.rows;
    Bf16* to = r.to + row / 2 * r.to_stride;
    int64_t column = 0;
    for (; !alone && column + kWidth <= r.columns; column += kWidth) {
      _mm512_storeu_si512(to + 2 * column, interleaved(_mm512_loadu_ps(even + column),
                                                       _mm512_loadu_ps(odd + column)));
    }
    for (; column < r.columns; column += kWidth) {
      const __mmask16 lanes = first_lanes(r.columns - column);
      const __m512i pairs =
          interleaved(_mm512_maskz_loadu_ps(lanes, even + column),
                      _mm512_maskz_loadu_ps(alone ? __mmask16{0} : lanes, odd + column));
      _mm512_mask_storeu_epi32(to + 2 * column, lanes, pairs);
    }
  }
}

}  // namespace convoy::blis
