#include "core/nn/winners_kernel.h"

#include <bit>

#include "core/base/vec.h"
#include "core/base/vec_list.h"

namespace convoy::nn::CONVOY_ISA_NAMESPACE {
namespace {

using std::int64_t;

// Vectors per row of a tile: with three rows they fill the registers.
constexpr int kMaxVectors = kVecRegisters == 32 ? 6 : 4;

static_assert(kWinnerSlack >= VecList::kSlack);

// Winners whose gradient is not zero.
struct Winners {
  static constexpr int64_t kMost = 256;
  float gradients[kMost + VecList::kSlack];
  std::int32_t offsets[kMost + VecList::kSlack];
  int64_t count = 0;
};

void keep(const float* gradients, const float* offsets, int64_t count, Winners& winners) {
  VecList kept{winners.gradients, winners.offsets};
  int64_t i = 0;
  for (; i + Vec::kWidth <= count; i += Vec::kWidth) {
    const Vec gradient = Vec::load(gradients + i);
    kept.append(nonzero(gradient), gradient, VecOffsets::load(offsets + i));
  }
  for (; i < count; ++i) {
    kept.append(gradients[i] != 0.0F, gradients[i], std::bit_cast<std::int32_t>(offsets[i]));
  }
  winners.count = kept.count;
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

// Appends the channels of the window at `first` that `place` won.
void list_place(const WinnerSort& s, int64_t first, std::uint8_t place, VecList& list) {
  const float* gradients = s.gradients + first;
  const std::uint8_t* places = s.places + first;
  const int64_t channels = s.channels;
  const std::int32_t step = s.offset_step;
  VecOffsets offsets = VecOffsets::multiples(step);
  int64_t c = 0;
  for (; c + Vec::kWidth <= channels; c += Vec::kWidth) {
    const Vec gradient = Vec::load(gradients + c);
    list.append(equal(places + c, place) & nonzero(gradient), gradient, offsets);
    offsets = offsets + Vec::kWidth * step;
  }
  for (; c < channels; ++c) {
    list.append(places[c] == place && gradients[c] != 0.0F, gradients[c],
                static_cast<std::int32_t>(c) * step);
  }
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
  VecList list{s.sorted_gradients, s.sorted_offsets};
  for (int64_t window = 0; window < s.windows; ++window) {
    for (int place = 0; place < kWindowPlaces; ++place) {
      const int64_t before = list.count;
      list_place(s, window * s.stride, static_cast<std::uint8_t>(place), list);
      s.counts[window * kWindowPlaces + place] = static_cast<std::int32_t>(list.count - before);
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
