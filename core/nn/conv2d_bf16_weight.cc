// The weight's gradient is a product for each tap (r, s): channels of x times outputs, summed over
// the pixels of all images. Pixels are what is paired, so they lie side by side: x is transposed.
#include <algorithm>

#include "core/base/parallel.h"
#include "core/nn/conv2d_bf16.h"
#include "core/nn/spaced_row.h"
#include "core/tensor/pool_array.h"
#include "core/tensor/transpose.h"

namespace convoy::nn {
namespace {

using blis::Bf16;

// Of rounded images and gradients: they stay in the second-level cache.
constexpr std::int64_t kRoundedElements = 256 << 10;

// Rows of the weight's gradient that one thread makes at a time: those of a tile.
constexpr std::int64_t kRows = 16;

// An image's outputs, and its padded pixels, in rows of even width, so that the pixel that a tap
// meets lies equally far behind each output; what is behind an output row is zero.
struct Grid {
  std::int64_t width;
  std::int64_t pairs;   // of outputs
  std::int64_t pixels;  // of one channel, with all that the last pairs reach

  explicit Grid(const ConvGeometry& g)
      : width((g.padded_w() + 1) / 2 * 2),
        pairs((g.p * width / 2 + blis::kBf16Pairs - 1) / blis::kBf16Pairs * blis::kBf16Pairs),
        pixels(spaced_row<Bf16>(
            std::max(g.padded_h() * width, 2 * pairs + offset(g, g.r - 1, g.s - 1)))) {}

  std::int64_t offset(const ConvGeometry& g, std::int64_t r, std::int64_t s) const {
    return r * g.dilation.h * width + s;
  }
};

// x (H, W, C) -> the inside of (C, grid pixels); `scratch` has room for an image.
void round_image(const ConvGeometry& g, const Grid& grid, const float* x, float* scratch,
                 Bf16* to) {
  const std::int64_t pixels = g.h * g.w;
  transpose({pixels, g.c, x, g.c, scratch, pixels});
  for (std::int64_t c = 0; c < g.c; ++c) {
    blis::bf16_round_rows({.rows = g.h,
                           .columns = g.w,
                           .from = scratch + c * pixels,
                           .from_stride = g.w,
                           .to = to + c * grid.pixels + g.top * grid.width + g.left,
                           .to_stride = grid.width});
  }
}

// The gradient of an image's outputs (P, Q, K) -> the inside of (grid pairs, K, 2).
void round_outputs(const ConvGeometry& g, const Grid& grid, const float* grad_y, Bf16* to) {
  for (std::int64_t row = 0; row < g.p; ++row) {
    blis::bf16_round_pairs({.rows = g.q,
                            .columns = g.k,
                            .from = grad_y + row * g.q * g.k,
                            .from_stride = g.k,
                            .to = to + row * grid.width * g.k,
                            .to_stride = 2 * g.k});
  }
}

}  // namespace

void bf16_backward_weight(const ConvGeometry& g, const Tensor& x, const Tensor& grad_y,
                          Tensor& grad_weight) {
  const Grid grid(g);
  const std::int64_t n = x.shape().n();
  const std::int64_t image = g.c * grid.pixels;
  const std::int64_t outputs = 2 * grid.pairs * g.k;
  const std::int64_t step = std::clamp<std::int64_t>(kRoundedElements / (image + outputs), 1, n);
  PoolArray<Bf16> images(step * image);
  PoolArray<Bf16> gradients(step * outputs);
  // Whatever is not inside stays zero for all images.
  std::ranges::fill(images.values(), Bf16{0});
  std::ranges::fill(gradients.values(), Bf16{0});
  Tensor scratch({num_threads(), g.h * g.w * g.c});
  const std::int64_t units_per_tap = (g.c + kRows - 1) / kRows;
  for (std::int64_t first = 0; first < n; first += step) {
    const std::int64_t count = std::min(step, n - first);
    parallel_for(count, [&](std::int64_t begin, std::int64_t end, int thread) {
      for (std::int64_t i = begin; i < end; ++i) {
        round_image(g, grid, x.data() + (first + i) * g.h * g.w * g.c,
                    scratch.data() + thread * g.h * g.w * g.c, images.data() + i * image);
        round_outputs(g, grid, grad_y.data() + (first + i) * g.p * g.q * g.k,
                      gradients.data() + i * outputs);
      }
    });
    parallel_for(g.r * g.s * units_per_tap, [&](std::int64_t begin, std::int64_t end, int) {
      while (begin < end) {
        const std::int64_t tap = begin / units_per_tap;
        const std::int64_t stop = std::min(end, (tap + 1) * units_per_tap);
        const std::int64_t c = begin % units_per_tap * kRows;
        blis::bf16_multiply(
            {.m = std::min((stop - begin) * kRows, g.c - c),
             .n = g.k,
             .pairs = grid.pairs,
             .batch = count,
             .a = images.data() + c * grid.pixels + grid.offset(g, tap / g.s, tap % g.s),
             .a_row_stride = grid.pixels,
             .a_batch_stride = image,
             .prefetch_a = true,
             .b = gradients.data(),
             .b_pair_stride = 2 * g.k,
             .b_batch_stride = outputs,
             .c = grad_weight.data() + (tap * g.c + c) * g.k,
             .c_row_stride = g.k,
             .accumulate = true});
        begin = stop;
      }
    });
  }
}

}  // namespace convoy::nn
