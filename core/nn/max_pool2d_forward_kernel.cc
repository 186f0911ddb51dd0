#include "core/nn/max_pool2d_kernel.h"
#include "core/nn/max_pool2d_lanes.h"

namespace convoy::nn::CONVOY_ISA_NAMESPACE {
namespace {

// The places of a window that lie within the image: some, or all of 2 x 2, known to the compiler.
struct SomePlaces {
  Range r, s;
  Range rows() const { return r; }
  Range columns() const { return s; }
};
struct FourPlaces {
  static constexpr Range rows() { return {0, 2}; }
  static constexpr Range columns() { return {0, 2}; }
};

// From a pixel to those of the next row and column of the window, in floats.
struct Steps {
  int64_t row, column;
};

// One window, some channels. `corner` is the pixel of place (0, 0), perhaps outside the image.
// Without winners `winners` is null.
template <int lanes, bool with_winners, typename Places, typename Winner>
void pool_window(const float* corner, Steps steps, int64_t window_w, const Places& places, float* y,
                 Winner* winners) {
  const Range rows = places.rows();
  const Range columns = places.columns();
  const bool none = rows.begin == rows.end || columns.begin == columns.end;
  Floats<lanes> best = Floats<lanes>{} - __builtin_inff();
  Ints<lanes> winner =
      Ints<lanes>{} + (none ? -1 : static_cast<int>(rows.begin * window_w + columns.begin));
#pragma GCC unroll 2
  for (int64_t r = rows.begin; r < rows.end; ++r) {
#pragma GCC unroll 2
    for (int64_t s = columns.begin; s < columns.end; ++s) {
      const auto value = load<Floats<lanes>>(corner + r * steps.row + s * steps.column);
      const Ints<lanes> larger = (value > best) | (value != value);
      best = larger ? value : best;
      if constexpr (with_winners) {
        winner = larger ? Ints<lanes>{} + static_cast<int>(r * window_w + s) : winner;
      }
    }
  }
  store(y, best);
  if constexpr (with_winners) {
    store_winners<lanes>(winners, winner);
  }
}

template <bool with_winners, typename Winner>
void forward(const PoolGeometry& g, const float* x, float* y, Winner* winners, int64_t begin,
             int64_t end) {
  // Copies, as the compiler takes a winner of one byte for something that could overwrite them.
  const int64_t channels = g.c;
  const int64_t window_w = g.window_w;
  const Steps steps{.row = g.dilation_h * g.w * channels, .column = g.dilation_w * channels};
  for (int64_t row = begin; row < end; ++row) {
    const int64_t top = row % g.p * g.stride_h - g.padding_h;
    const Range rows = places_inside(top, g.window_h, g.dilation_h, g.h);
    const float* image_row = x + (row / g.p * g.h + top) * g.w * channels;
    for (int64_t q = 0; q < g.q; ++q) {
      const int64_t left = q * g.stride_w - g.padding_w;
      const Range columns = places_inside(left, g.window_w, g.dilation_w, g.w);
      const int64_t out = (row * g.q + q) * channels;
      const auto pool = [=](const auto& places) {
        const float* corner = image_row + left * channels;
        for_each_block(channels, [=]<int lanes>(int64_t c) {
          pool_window<lanes, with_winners>(corner + c, steps, window_w, places, y + out + c,
                                           with_winners ? winners + out + c : nullptr);
        });
      };
      const bool four = g.window_w == 2 && rows.begin == 0 && rows.end == 2 && columns.begin == 0 &&
                        columns.end == 2;
      if (four) {
        pool(FourPlaces());
      } else {
        pool(SomePlaces{rows, columns});
      }
    }
  }
}

}  // namespace

void max_pool2d_forward(const PoolGeometry& g, const float* x, float* y, void* winners,
                        int64_t begin, int64_t end) {
  if (winners == nullptr) {
    forward<false>(g, x, y, static_cast<std::uint8_t*>(winners), begin, end);
  } else if (winners_are_bytes(g)) {
    forward<true>(g, x, y, static_cast<std::uint8_t*>(winners), begin, end);
  } else {
    forward<true>(g, x, y, static_cast<std::uint32_t*>(winners), begin, end);
  }
}

}  // namespace convoy::nn::CONVOY_ISA_NAMESPACE
