#include <algorithm>
#include <bit>
#include <limits>

#include "core/base/parallel.h"
#include "core/nn/conv2d_passes.h"
#include "core/nn/conv2d_pooled.h"
#include "core/nn/max_pool2d_kernel.h"
#include "core/nn/winners_kernel.h"
#include "core/tensor/pool_array.h"
#include "core/tensor/transpose.h"

namespace convoy::nn {
namespace {

// Winners that are listed at once, per thread: they and their padded images stay in the
// second-level cache.
constexpr std::int64_t kListed = 1 << 15;

constexpr std::int64_t kLargestOffset = std::numeric_limits<std::int32_t>::max();

// The rows of images that some windows reach stay in the first-level cache.
constexpr std::int64_t kReachedBytes = 28 << 10;

std::int64_t padded_floats(const ConvGeometry& g) {
  return g.padded_h() * g.padded_w() * g.c;
}

std::int64_t listed_images(const ConvGeometry& g, const PoolGeometry& pool) {
  const std::int64_t images = kListed * num_threads() / (pool.p * pool.q * g.k);
  return std::clamp<std::int64_t>(images, 1, kLargestOffset / padded_floats(g));
}

// Whole rows of windows.
std::int64_t windows_in_cache(const ConvGeometry& g, const PoolGeometry& pool) {
  const std::int64_t channels = std::min(g.c, kWinnerBlockColumns / g.s + 1);
  const std::int64_t row_bytes = pool.stride_h * g.stride.h * g.padded_w() * channels *
                                 static_cast<std::int64_t>(sizeof(float));
  return std::max<std::int64_t>(kReachedBytes / row_bytes, 1) * pool.q;
}

// Where a window begins, in floats from the beginning of its image: it may lie outside, but its
// winner does not.
std::int64_t origin(const PooledGradient& pooled, std::int64_t window) {
  const ConvGeometry& g = pooled.g;
  const PoolGeometry& pool = pooled.pool;
  const std::int64_t top = (window / pool.q * pool.stride_h - pool.padding_h) * g.stride.h;
  const std::int64_t left = (window % pool.q * pool.stride_w - pool.padding_w) * g.stride.w;
  return (top * g.padded_w() + left) * g.c;
}

// From the beginning of a window to its places.
PoolArray<std::int64_t> place_offsets(const ConvGeometry& g, const PoolGeometry& pool) {
  PoolArray<std::int64_t> offsets(pool.window_h * pool.window_w);
  for (std::int64_t place = 0; place < pool.window_h * pool.window_w; ++place) {
    offsets[place] =
        (place / pool.window_w * g.stride.h * g.padded_w() + place % pool.window_w * g.stride.w) *
        g.c;
  }
  return offsets;
}

// All windows of some images, channel by channel, as (K, images, P, Q) tensors: their gradients,
// and the bits of the 32-bit offsets of their winners from the beginning of the first image.
struct Channels {
  Tensor gradients;
  Tensor offsets;
};
Channels by_channel(const PooledGradient& pooled, std::int64_t first, std::int64_t images) {
  const ConvGeometry& g = pooled.g;
  const std::int64_t windows = pooled.pool.p * pooled.pool.q;
  const PoolArray<std::int64_t> places = place_offsets(g, pooled.pool);
  Channels channels{Tensor({g.k, images * windows}), Tensor({g.k, images * windows})};
  Tensor offsets({num_threads(), windows * g.k});
  parallel_for(images, [&](std::int64_t begin, std::int64_t end, int thread) {
    float* image_offsets = offsets.data() + thread * windows * g.k;
    for (std::int64_t image = begin; image < end; ++image) {
      const std::int64_t before = (first + image) * windows * g.k;
      for (std::int64_t i = 0; i < windows; ++i) {
        const std::uint8_t* winners = pooled.winners + before + i * g.k;
        const std::int64_t from = image * padded_floats(g) + origin(pooled, i);
        for (std::int64_t k = 0; k < g.k; ++k) {
          image_offsets[i * g.k + k] =
              std::bit_cast<float>(static_cast<std::int32_t>(from + places[winners[k]]));
        }
      }
      const std::int64_t column = image * windows;
      const std::int64_t stride = images * windows;
      transpose({windows, g.k, pooled.gradient.data() + before, g.k,
                 channels.gradients.data() + column, stride});
      transpose({windows, g.k, image_offsets, g.k, channels.offsets.data() + column, stride});
    }
  });
  return channels;
}

// grad_weight (R, S, C, K) += sums (K, R, S, C).
void add_transposed(const Tensor& sums, Tensor& grad_weight) {
  const std::int64_t k = sums.shape()[0];
  const std::int64_t taps = sums.shape()[1];
  Tensor transposed({taps, k});
  parallel_for(taps, [&](std::int64_t begin, std::int64_t end, int) {
    transpose({k, end - begin, sums.data() + begin, taps, transposed.data() + begin * k, k});
    for (std::int64_t i = begin * k; i < end * k; ++i) {
      grad_weight.data()[i] += transposed.data()[i];
    }
  });
}

}  // namespace

bool pooled_weight_fits(const ConvGeometry& g, const PoolGeometry& pool) {
  return pool.stride_h * pool.stride_w >= 4 && winners_are_bytes(pool) && g.contiguous_rows() &&
         g.s * g.c % kWinnerColumns == 0 && padded_floats(g) <= kLargestOffset;
}

void pooled_backward_weight(const PooledGradient& pooled, const Tensor& input,
                            Tensor& grad_weight) {
  static const auto kernel = add_winner_block_kernel();
  const ConvGeometry& g = pooled.g;
  const PoolGeometry& pool = pooled.pool;
  const std::int64_t n = pooled.gradient.shape().n();
  const std::int64_t run = g.s * g.c;
  const std::int64_t image_row = g.dilation.h * g.padded_w() * g.c;
  const std::int64_t step = listed_images(g, pool);
  const std::int64_t windows_step = windows_in_cache(g, pool);
  Tensor sums = Tensor::zeros({g.k, g.r * run});
  for (std::int64_t image = 0; image < n; image += step) {
    const std::int64_t count = std::min(step, n - image);
    const Channels channels = by_channel(pooled, image, count);
    const std::int64_t windows = count * pool.p * pool.q;
    const Tensor padded = conv_padded(g, images(input, image, count));
    // Kernel rows and columns, then windows, then channels: what windows reach of the images stays
    // in the cache for all channels.
    const auto add = [&](std::int64_t r, std::int64_t column, std::int64_t window, std::int64_t k) {
      kernel({.gradients = channels.gradients.data() + k * windows + window,
              .offsets = channels.offsets.data() + k * windows + window,
              .count = std::min(windows_step, windows - window),
              .x = padded.data() + r * image_row + column,
              .x_stride = image_row,
              .sums = sums.data() + (k * g.r + r) * run + column,
              .sums_stride = run,
              .rows = std::min(kWinnerBlockRows, g.r - r),
              .columns = std::min(kWinnerBlockColumns, run - column)});
    };
    parallel_for(g.k, [&](std::int64_t begin, std::int64_t end, int) {
      for (std::int64_t r = 0; r < g.r; r += kWinnerBlockRows) {
        for (std::int64_t column = 0; column < run; column += kWinnerBlockColumns) {
          for (std::int64_t window = 0; window < windows; window += windows_step) {
            for (std::int64_t k = begin; k < end; ++k) {
              add(r, column, window, k);
            }
          }
        }
      }
    });
  }
  add_transposed(sums, grad_weight);
}

}  // namespace convoy::nn
