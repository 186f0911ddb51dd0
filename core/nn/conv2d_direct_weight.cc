// The weight's gradient as products: its rows (r, s, c) are the rows of A, output pixels are k,
// output rows the batch and images the groups. A is a view of the padded images, B the gradient of
// the outputs or copies of its columns.
#include <algorithm>
#include <utility>

#include "core/base/isa.h"
#include "core/base/parallel.h"
#include "core/blis/brgemm.h"
#include "core/nn/conv2d_direct.h"
#include "core/tensor/pool_array.h"

namespace convoy::nn {
namespace {

// As many columns as a register tile of AVX2 has.
constexpr std::int64_t kPanelColumns = 16;

// How the work is cut, so that what a register tile reads is near.
struct Blocking {
  std::int64_t rows;           // of the weight, that one thread makes at a time
  std::int64_t cached_floats;  // of images and gradient, that are read meanwhile, ...
  std::int64_t least_pixels;   // ... or this many outputs: starting from earlier sums costs time
  bool panels;                 // columns of the gradient are copied, kPanelColumns side by side
};

// A tile of AVX2 reads 64 bytes of B for 12 multiply-adds. Where those of all pixels lie side by
// side and fit into the first-level cache, Zen 3 is 1.1 to 1.4 times as fast, and its generic
// kernels 1.06 to 1.18. One of AVX-512 reads 256 for 24: Zen 4 comes to 0.95 of its peak without
// panels, and with them it has not been tried.
Blocking blocking(std::int64_t rows, std::int64_t columns) {
  if (active_isa() >= Isa::kAvx512) {
    return {.rows = 24, .cached_floats = 128 << 10, .least_pixels = 512, .panels = false};
  }
  constexpr std::int64_t kRows = 48;
  return {.rows = kRows,
          .cached_floats = 0,
          .least_pixels = 196,
          .panels = columns > kPanelColumns && rows >= kRows};
}

// Output rows `row` .. row + rows of some images. More than one image: all rows.
struct Portion {
  std::int64_t image;
  std::int64_t images;
  std::int64_t row;
  std::int64_t rows;
};

std::int64_t most_rows(const ConvGeometry& g, const Blocking& blocking) {
  const std::int64_t row = g.q * g.k + g.stride.h * g.padded_w() * g.c;
  return std::max(blocking.cached_floats / row, (blocking.least_pixels + g.q - 1) / g.q);
}

// Calls visit(portion) for all outputs of `n` images in order, `most` rows or whole images at a
// time.
template <typename Visit>
void for_each_portion(const ConvGeometry& g, std::int64_t n, std::int64_t most,
                      const Visit& visit) {
  if (const std::int64_t images = most / g.p; images > 0) {
    for (std::int64_t image = 0; image < n; image += images) {
      visit(Portion{image, std::min(images, n - image), 0, g.p});
    }
    return;
  }
  for (std::int64_t image = 0; image < n; ++image) {
    for (std::int64_t first = 0; first < g.p; first += most) {
      visit(Portion{image, 1, first, std::min(most, g.p - first)});
    }
  }
}

// Where the values that each weight (r, s, c) of a group meets begin in a padded image.
PoolArray<std::int64_t> weight_row_offsets(const ConvGeometry& g) {
  PoolArray<std::int64_t> offsets(g.r * g.s * g.c_per_group());
  std::int64_t* offset = offsets.data();
  for (std::int64_t r = 0; r < g.r; ++r) {
    for (std::int64_t s = 0; s < g.s; ++s) {
      const std::int64_t pixel = (r * g.dilation.h * g.padded_w() + s * g.dilation.w) * g.c;
      for (std::int64_t c = 0; c < g.c_per_group(); ++c) {
        *offset++ = pixel + c;
      }
    }
  }
  return offsets;
}

// grad_y (pixels, K), of it a group's columns -> (panels, pixels, kPanelColumns); the last panel is
// as narrow as what is left.
void copy_panels(const ConvGeometry& g, const float* grad_y, std::int64_t pixels, float* to) {
  const std::int64_t columns = g.k_per_group();
  for (std::int64_t column = 0; column < columns; column += kPanelColumns) {
    const float* from = grad_y + column;
    const std::int64_t width = columns - column;
    for (std::int64_t i = 0; i < pixels; ++i, from += g.k) {
      to = width < kPanelColumns ? std::copy_n(from, width, to)
                                 : std::copy_n(from, kPanelColumns, to);
    }
  }
}

}  // namespace

void direct_backward_weight(const ConvGeometry& g, const Tensor& padded, const Tensor& grad_y,
                            Tensor& grad_weight) {
  static const auto kernel = blis::brgemm_kernel();
  const std::int64_t rows = g.r * g.s * g.c_per_group();
  const std::int64_t k = g.k_per_group();
  const Blocking cut = blocking(rows, k);
  const std::int64_t most = most_rows(g, cut);
  // A unit is a block of the weight's rows (r, s, c) of a group. Each is summed over all images in
  // order, by one thread, so the bits depend neither on the blocks nor on the number of threads.
  const std::int64_t threads = num_threads();
  const std::int64_t full = (rows + cut.rows - 1) / cut.rows;
  const std::int64_t blocks =
      g.groups >= threads ? full : std::min((full + threads - 1) / threads * threads, rows);
  const PoolArray<std::int64_t> offsets = weight_row_offsets(g);
  const std::int64_t copied = cut.panels ? most * g.q * k : 0;
  PoolArray<float> panels(threads * copied);
  const std::int64_t width = cut.panels ? kPanelColumns : k;
  parallel_for(g.groups * blocks, [&](std::int64_t begin, std::int64_t end, int thread) {
    float* const mine = panels.data() + thread * copied;
    for_each_portion(g, grad_y.shape().n(), most, [&](const Portion& portion) {
      const std::int64_t pixels = portion.images * portion.rows * g.q;
      std::int64_t copied_group = -1;
      for (std::int64_t unit = begin; unit < end; ++unit) {
        const std::int64_t group = unit / blocks;
        const float* outputs =
            grad_y.data() + (portion.image * g.p + portion.row) * g.q * g.k + group * k;
        if (cut.panels && group != std::exchange(copied_group, group)) {
          copy_panels(g, outputs, pixels, mine);
        }
        const std::int64_t first = rows * (unit % blocks) / blocks;
        for (std::int64_t column = 0; column < k; column += width) {
          const std::int64_t n = std::min(width, k - column);
          const std::int64_t b_row_stride = cut.panels ? n : g.k;
          kernel(
              {.m = rows * (unit % blocks + 1) / blocks - first,
               .n = n,
               .k = g.q,
               .batch = portion.rows,
               .groups = portion.images,
               .a = padded.data() +
                    (portion.image * g.padded_h() + portion.row * g.stride.h) * g.padded_w() * g.c +
                    group * g.c_per_group(),
               .a_rows = offsets.data() + first,
               .a_column_stride = g.stride.w * g.c,
               .a_batch_stride = g.stride.h * g.padded_w() * g.c,
               .a_group_stride = g.padded_h() * g.padded_w() * g.c,
               .b = cut.panels ? mine + pixels * column : outputs + column,
               .b_row_stride = b_row_stride,
               .b_batch_stride = g.q * b_row_stride,
               .b_group_stride = g.p * g.q * b_row_stride,
               .c = grad_weight.data() + first * g.k + group * k + column,
               .c_row_stride = g.k,
               .accumulate = true});
        }
      }
    });
  });
}

}  // namespace convoy::nn
