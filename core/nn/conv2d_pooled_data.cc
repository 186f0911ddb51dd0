#include <algorithm>

#include "core/base/parallel.h"
#include "core/nn/conv2d_pooled.h"
#include "core/nn/winners_kernel.h"
#include "core/tensor/pool_array.h"
#include "core/tensor/transpose.h"

namespace convoy::nn {
namespace {

// Channels whose weights for one block of columns stay in the first-level cache.
constexpr std::int64_t kSortedChannels = 64;

constexpr std::int64_t kTaps = 9;

// weight (R, S, C, K) -> (C / kWinnerColumns, K, R, S, kWinnerColumns).
Tensor in_columns(const ConvGeometry& g, const Tensor& weight) {
  const std::int64_t blocks = g.c / kWinnerColumns;
  Tensor columns({blocks, g.k, kTaps, kWinnerColumns});
  parallel_for(kTaps * blocks, [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t tap = i / blocks;
      const std::int64_t block = i % blocks;
      transpose({.rows = kWinnerColumns,
                 .columns = g.k,
                 .from = weight.data() + (tap * g.c + block * kWinnerColumns) * g.k,
                 .from_stride = g.k,
                 .to = columns.data() + (block * g.k * kTaps + tap) * kWinnerColumns,
                 .to_stride = kTaps * kWinnerColumns});
    }
  });
  return columns;
}

// Lays the part of `area` (2 P + 2, 2 Q + 2, kWinnerColumns) that lies inside the image into its
// columns, and zeros where no window reaches.
void copy_inside(const PooledGradient& pooled, const float* area, float* image) {
  const auto& [g, pool, gradient, winners] = pooled;
  const std::int64_t rows = 2 * pool.p + 2;
  const std::int64_t columns = 2 * pool.q + 2;
  for (std::int64_t h = 0; h < g.h; ++h) {
    const std::int64_t row = h + g.top + pool.padding_h;
    for (std::int64_t w = 0; w < g.w; ++w) {
      const std::int64_t column = w + g.left + pool.padding_w;
      float* pixel = image + (h * g.w + w) * g.c;
      if (row < rows && column < columns) {
        std::copy_n(area + (row * columns + column) * kWinnerColumns, kWinnerColumns, pixel);
      } else {
        std::fill_n(pixel, kWinnerColumns, 0.0F);
      }
    }
  }
}

}  // namespace

bool pooled_data_fits(const ConvGeometry& g, const PoolGeometry& pool) {
  const bool kernel = g.r == 3 && g.s == 3 && g.stride == Size2(1) && g.dilation == Size2(1);
  const bool windows =
      pool.window_h == 2 && pool.window_w == 2 && pool.stride_h == 2 && pool.stride_w == 2;
  return kernel && windows && g.groups == 1 && g.mode == PaddingMode::kZeros && g.top >= 0 &&
         g.left >= 0 && g.c % kWinnerColumns == 0;
}

void pooled_backward_data(const PooledGradient& pooled, const Tensor& weight, Tensor& grad_x) {
  static const auto sort = sort_winners_kernel();
  static const auto add_patches = add_winner_patches_kernel();
  const ConvGeometry& g = pooled.g;
  const PoolGeometry& pool = pooled.pool;
  const Tensor& gradient = pooled.gradient;
  const std::uint8_t* winners = pooled.winners;
  const Tensor columns = in_columns(g, weight);
  const std::int64_t blocks = g.c / kWinnerColumns;
  const std::int64_t windows = pool.p * pool.q;
  const std::int64_t area_size = (2 * pool.p + 2) * (2 * pool.q + 2) * kWinnerColumns;
  const std::int64_t room = windows * kSortedChannels + kWinnerSlack;
  Tensor areas({num_threads(), blocks * area_size});
  PoolArray<float> floats(num_threads() * room);
  PoolArray<std::int32_t> integers(num_threads() * (room + windows * kWindowPlaces));
  parallel_for(gradient.shape().n(), [&](std::int64_t begin, std::int64_t end, int thread) {
    float* area = areas.data() + thread * blocks * area_size;
    float* gradients = floats.data() + thread * room;
    std::int32_t* offsets = integers.data() + thread * (room + windows * kWindowPlaces);
    std::int32_t* counts = offsets + room;
    for (std::int64_t image = begin; image < end; ++image) {
      std::fill_n(area, blocks * area_size, 0.0F);
      for (std::int64_t k = 0; k < g.k; k += kSortedChannels) {
        sort({.gradients = gradient.data() + image * windows * g.k + k,
              .places = winners + image * windows * g.k + k,
              .windows = windows,
              .stride = g.k,
              .channels = std::min(kSortedChannels, g.k - k),
              .offset_step = kTaps * kWinnerColumns,
              .sorted_gradients = gradients,
              .sorted_offsets = offsets,
              .counts = counts});
        for (std::int64_t block = 0; block < blocks; ++block) {
          add_patches({.gradients = gradients,
                       .offsets = offsets,
                       .counts = counts,
                       .p = pool.p,
                       .q = pool.q,
                       .weight = columns.data() + (block * g.k + k) * kTaps * kWinnerColumns,
                       .area = area + block * area_size});
        }
      }
      for (std::int64_t block = 0; block < blocks; ++block) {
        copy_inside(pooled, area + block * area_size,
                    grad_x.data() + image * g.h * g.w * g.c + block * kWinnerColumns);
      }
    }
  });
}

}  // namespace convoy::nn
