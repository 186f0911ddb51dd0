#include "core/nn/max_pool2d_kernel.h"
#include "core/nn/max_pool2d_lanes.h"

namespace convoy::nn::CONVOY_ISA_NAMESPACE {
namespace {

// Moves `windows` on to those over the pixel at `padded`, from those over an earlier pixel or
// {0,0}.
void advance_windows(int64_t padded, int64_t window, int64_t stride, int64_t dilation,
                     int64_t count, Range& windows) {
  while (windows.end < count && windows.end * stride <= padded) {
    ++windows.end;
  }
  while (windows.begin < windows.end && padded - windows.begin * stride > dilation * (window - 1)) {
    ++windows.begin;
  }
}

// Hands a pixel the gradient `dy` of one window in those channels which `place` won: the first
// window writes to `dx`, later ones add.
template <typename Winner>
void take_gradient(const float* dy, const Winner* winners, int place, bool first, float* dx,
                   int64_t channels) {
  const auto block = [&]<int lanes>(int64_t c) {
    const Ints<lanes> winner = load_winners<lanes>(winners + c);
    const auto before = first ? Floats<lanes>{} : load<Floats<lanes>>(dx + c);
    store(dx + c, before + (winner == place ? load<Floats<lanes>>(dy + c) : Floats<lanes>{}));
  };
  int64_t c = 0;
  for (; c + kLanes <= channels; c += kLanes) {
    block.template operator()<kLanes>(c);
  }
  for (; c + 4 <= channels; c += 4) {
    block.template operator()<4>(c);
  }
  for (; c < channels; ++c) {
    block.template operator()<1>(c);
  }
}

// Windows side by side: each pixel lies under one of them at most, and takes its gradient or none.
template <typename Winner>
void backward_tiled(const PoolGeometry& g, const float* dy, const Winner* winners, float* dx,
                    int64_t begin, int64_t end) {
  for (int64_t row = begin; row < end; ++row) {
    const int64_t p = (row % g.h + g.padding_h) / g.stride_h;
    const int64_t r = (row % g.h + g.padding_h) % g.stride_h;
    const int64_t windows = p < g.p ? g.q : 0;
    float* pixels = dx + row * g.w * g.c;
    for (int64_t q = 0; q < windows; ++q) {
      const int64_t left = q * g.stride_w - g.padding_w;
      const Range columns = places_inside(left, g.window_w, 1, g.w);
      const int64_t out = ((row / g.h * g.p + p) * g.q + q) * g.c;
      for_each_block(g.c, [&]<int lanes>(int64_t c) {
        const Ints<lanes> winner = load_winners<lanes>(winners + out + c);
        const auto gradient = load<Floats<lanes>>(dy + out + c);
        for (int64_t s = columns.begin; s < columns.end; ++s) {
          const auto place = static_cast<int>(r * g.window_w + s);
          store(pixels + (left + s) * g.c + c, winner == place ? gradient : Floats<lanes>{});
        }
      });
    }
    for (int64_t i = (windows * g.stride_w - (windows > 0 ? g.padding_w : 0)) * g.c; i < g.w * g.c;
         ++i) {
      pixels[i] = 0.0F;
    }
  }
}

// Each input pixel gathers from the windows over it, so nothing has to be cleared first.
template <typename Winner>
void backward(const PoolGeometry& g, const float* dy, const Winner* winners, float* dx,
              int64_t begin, int64_t end) {
  const bool dilated = g.dilation_h != 1 || g.dilation_w != 1;
  if (!dilated && g.stride_h == g.window_h && g.stride_w == g.window_w) {
    return backward_tiled(g, dy, winners, dx, begin, end);
  }
  for (int64_t row = begin; row < end; ++row) {
    const int64_t padded_h = row % g.h + g.padding_h;
    const int64_t out_image = row / g.h * g.p;
    Range rows = {0, 0};
    advance_windows(padded_h, g.window_h, g.stride_h, g.dilation_h, g.p, rows);
    Range columns = {0, 0};
    for (int64_t w = 0; w < g.w; ++w) {
      const int64_t padded_w = w + g.padding_w;
      advance_windows(padded_w, g.window_w, g.stride_w, g.dilation_w, g.q, columns);
      float* pixel = dx + (row * g.w + w) * g.c;
      bool first = true;
      for (int64_t p = rows.begin; p < rows.end; ++p) {
        for (int64_t q = columns.begin; q < columns.end; ++q) {
          int64_t r = padded_h - p * g.stride_h;
          int64_t s = padded_w - q * g.stride_w;
          if (dilated) {
            if (r % g.dilation_h != 0 || s % g.dilation_w != 0) {
              continue;
            }
            r /= g.dilation_h;
            s /= g.dilation_w;
          }
          const int64_t out = ((out_image + p) * g.q + q) * g.c;
          take_gradient(dy + out, winners + out, static_cast<int>(r * g.window_w + s), first, pixel,
                        g.c);
          first = false;
        }
      }
      for (int64_t c = 0; first && c < g.c; ++c) {
        pixel[c] = 0.0F;
      }
    }
  }
}

}  // namespace

void max_pool2d_backward(const PoolGeometry& g, const float* dy, const void* winners, float* dx,
                         int64_t begin, int64_t end) {
  if (winners_are_bytes(g)) {
    backward(g, dy, static_cast<const std::uint8_t*>(winners), dx, begin, end);
  } else {
    backward(g, dy, static_cast<const std::uint32_t*>(winners), dx, begin, end);
  }
}

}  // namespace convoy::nn::CONVOY_ISA_NAMESPACE
