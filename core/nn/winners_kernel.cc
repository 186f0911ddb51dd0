#include "core/nn/winners_kernel.h"

#include <bit>

#include "core/base/vec.h"

namespace convoy::nn::CONVOY_ISA_NAMESPACE {
namespace {

using std::int64_t;

// Vectors per row of a tile: with three rows they fill the registers.
constexpr int kMaxVectors = kVecRegisters == 32 ? 6 : 4;

// Winners whose gradient is not zero.
struct Winners {
  static constexpr int64_t kMost = 256;
  float gradients[kMost + kWinnerSlack];
  std::int32_t offsets[kMost + kWinnerSlack];
  int64_t count = 0;
};

#if defined(__AVX512F__)
// Appends those of 16 elements that are in `mask`.
inline void append(__mmask16 mask, __m512 gradients, __m512i offsets, float* to_gradients,
                   std::int32_t* to_offsets, int64_t& count) {
  _mm512_storeu_ps(to_gradients + count, _mm512_maskz_compress_ps(mask, gradients));
  _mm512_storeu_si512(to_offsets + count, _mm512_maskz_compress_epi32(mask, offsets));
  count += __builtin_popcount(mask);
}
#endif

void keep(const float* gradients, const float* offsets, int64_t count, Winners& winners) {
  int64_t kept = 0;
  int64_t i = 0;
#if defined(__AVX512F__)
  for (; i + 16 <= count; i += 16) {
    const __m512 gradient = _mm512_loadu_ps(gradients + i);
    append(_mm512_cmp_ps_mask(gradient, _mm512_setzero_ps(), _CMP_NEQ_UQ), gradient,
           _mm512_loadu_si512(offsets + i), winners.gradients, winners.offsets, kept);
  }
#endif
  for (; i < count; ++i) {
    winners.gradients[kept] = gradients[i];
    winners.offsets[kept] = std::bit_cast<std::int32_t>(offsets[i]);
    kept += static_cast<int64_t>(gradients[i] != 0.0F);
  }
  winners.count = kept;
}

template <int rows, int vectors>
void add_tile(const WinnerBlock& b, const Winners& winners, int64_t column) {
  Vec sum[rows][vectors];
#pragma GCC unroll 3
  for (int r = 0; r < rows; ++r) {
#pragma GCC unroll 6
    for (int v = 0; v < vectors; ++v) {
      sum[r][v] = Vec::load(b.sums + r * b.sums_stride + column + v * Vec::kWidth);
    }
  }
  const float* origin = b.x + column;
  const int64_t stride = b.x_stride;
  for (int64_t i = 0; i < winners.count; ++i) {
    const Vec gradient = Vec::broadcast(winners.gradients + i);
    const float* x = origin + winners.offsets[i];
#pragma GCC unroll 3
    for (int r = 0; r < rows; ++r) {
      x = in_register(x);
#pragma GCC unroll 6
      for (int v = 0; v < vectors; ++v) {
        sum[r][v].add_product(gradient, Vec::load(x + v * Vec::kWidth));
      }
      x += stride;
    }
  }
#pragma GCC unroll 3
  for (int r = 0; r < rows; ++r) {
#pragma GCC unroll 6
    for (int v = 0; v < vectors; ++v) {
      sum[r][v].store(b.sums + r * b.sums_stride + column + v * Vec::kWidth);
    }
  }
}

template <int rows, int vectors = kMaxVectors>
void add_columns(const WinnerBlock& b, const Winners& winners, int64_t column = 0) {
  if constexpr (vectors > 0) {
    for (; column + vectors * Vec::kWidth <= b.columns; column += vectors * Vec::kWidth) {
      add_tile<rows, vectors>(b, winners, column);
    }
    add_columns<rows, vectors - 1>(b, winners, column);
  }
}

// Appends the channels of one window that `place` won.
int64_t list_place(const WinnerSort& s, int64_t first, int place, float* gradients,
                   std::int32_t* offsets) {
  int64_t count = 0;
  int64_t c = 0;
#if defined(__AVX512F__)
  const __m512i step =
      _mm512_mullo_epi32(_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
                         _mm512_set1_epi32(s.offset_step));
  for (; c + 16 <= s.channels; c += 16) {
    const __m512 gradient = _mm512_loadu_ps(s.gradients + first + c);
    const __m128i places =
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(s.places + first + c));  // NOLINT
    const auto wins = static_cast<__mmask16>(
        _mm_cmpeq_epi8_mask(places, _mm_set1_epi8(static_cast<char>(place))) &
        _mm512_cmp_ps_mask(gradient, _mm512_setzero_ps(), _CMP_NEQ_UQ));
    const __m512i offset =
        _mm512_add_epi32(step, _mm512_set1_epi32(static_cast<std::int32_t>(c) * s.offset_step));
    _mm512_storeu_ps(gradients + count, _mm512_maskz_compress_ps(wins, gradient));
    _mm512_storeu_si512(offsets + count, _mm512_maskz_compress_epi32(wins, offset));
    count += __builtin_popcount(wins);
  }
#endif
  for (; c < s.channels; ++c) {
    const float gradient = s.gradients[first + c];
    gradients[count] = gradient;
    offsets[count] = static_cast<std::int32_t>(c) * s.offset_step;
    count +=
        static_cast<int64_t>(s.places[first + c] == place) & static_cast<int64_t>(gradient != 0.0F);
  }
  return count;
}

// The winners of one place, into the patch of their window.
template <int place>
void add_place(const WinnerPatches& p, int64_t first, int64_t count, int lane, Vec (&patch)[16]) {
  for (int64_t i = first; i < first + count; ++i) {
    const Vec gradient = Vec::broadcast(p.gradients + i);
    const float* weight = in_register(p.weight + p.offsets[i] + lane);
#pragma GCC unroll 3
    for (int r = 0; r < 3; ++r) {
#pragma GCC unroll 3
      for (int s = 0; s < 3; ++s) {
        patch[(place / 2 + r) * 4 + place % 2 + s].add_product(
            gradient, Vec::load(weight + (r * 3 + s) * kWinnerColumns));
      }
    }
  }
}

}  // namespace

void add_winner_block(const WinnerBlock& b) {
  Winners winners;
  for (int64_t first = 0; first < b.count; first += Winners::kMost) {
    const int64_t left = b.count - first;
    keep(b.gradients + first, b.offsets + first, left < Winners::kMost ? left : Winners::kMost,
         winners);
    if (b.rows == 3) {
      add_columns<3>(b, winners);
    } else if (b.rows == 2) {
      add_columns<2>(b, winners);
    } else {
      add_columns<1>(b, winners);
    }
  }
}

void sort_winners(const WinnerSort& s) {
  int64_t listed = 0;
  for (int64_t window = 0; window < s.windows; ++window) {
    for (int place = 0; place < kWindowPlaces; ++place) {
      const int64_t count = list_place(s, window * s.stride, place, s.sorted_gradients + listed,
                                       s.sorted_offsets + listed);
      s.counts[window * kWindowPlaces + place] = static_cast<std::int32_t>(count);
      listed += count;
    }
  }
}

void add_winner_patches(const WinnerPatches& p) {
  const int64_t row = (2 * p.q + 2) * kWinnerColumns;
  int64_t first = 0;
  for (int64_t window = 0; window < p.p * p.q; ++window) {
    const std::int32_t* counts = p.counts + window * kWindowPlaces;
    float* corner = p.area + window / p.q * 2 * row + window % p.q * 2 * kWinnerColumns;
    for (int lane = 0; lane < kWinnerColumns; lane += Vec::kWidth) {
      Vec patch[16];
#pragma GCC unroll 16
      for (int i = 0; i < 16; ++i) {
        patch[i] = Vec::zero();
      }
      int64_t at = first;
      add_place<0>(p, at, counts[0], lane, patch);
      at += counts[0];
      add_place<1>(p, at, counts[1], lane, patch);
      at += counts[1];
      add_place<2>(p, at, counts[2], lane, patch);
      at += counts[2];
      add_place<3>(p, at, counts[3], lane, patch);
#pragma GCC unroll 16
      for (int i = 0; i < 16; ++i) {
        float* pixel = corner + i / 4 * row + i % 4 * kWinnerColumns + lane;
        (Vec::load(pixel) + patch[i]).store(pixel);
      }
    }
    first += counts[0] + counts[1] + counts[2] + counts[3];
  }
}

}  // namespace convoy::nn::CONVOY_ISA_NAMESPACE
