// All passes hand the micro-kernel (core/blis/brgemm.h) strided views of channels-last images: one
// output row at a time, the pixels as rows of A, with a kernel row's (s, c) run as k and the kernel
// rows as the batch. Where a kernel row is not contiguous (groups, dilation along the width), k is
// the group's channels and the batch is s. A sum too long for the cache is added up part by part,
// each for all rows of an image, in the same order. For the weight's gradient its rows (r, s, c)
// are the rows of A, output pixels are k, output rows the batch and images the groups.
#include "core/nn/conv2d_direct.h"

#include <algorithm>

#include "core/base/parallel.h"
#include "core/blis/brgemm.h"
#include "core/tensor/pool_array.h"

namespace convoy::nn {
namespace {

// Columns of a weight panel, which stays in the nearest caches while an image passes by: those of a
// register tile of few rows with AVX-512, or of one with as many rows as a short row has pixels.
std::int64_t panel_columns(const ConvGeometry& g) {
  constexpr std::int64_t kShortRow = 12;
  return g.q <= kShortRow ? 32 : 64;
}

// Rows of a panel that stay there while the output rows of an image pass by.
constexpr std::int64_t kPanelRows = 256;

// That stay in the second-level cache together.
constexpr std::int64_t kCachedFloats = 128 << 10;

// A part of the sum for an output pixel: `batch` runs of `k` products each.
struct Part {
  std::int64_t batch;
  std::int64_t k;
  std::int64_t image_offset;
  std::int64_t weight_offset;
};

// Calls visit(part) for the parts of a whole sum, in order.
template <typename Visit>
void for_each_part(const ConvGeometry& g, const Visit& visit) {
  const std::int64_t image_row = g.dilation.h * g.padded_w() * g.c;
  const std::int64_t weight_row = g.s * g.c_per_group() * g.k;
  const std::int64_t run = g.s * g.c_per_group();
  if (g.r * run == 0 || (g.contiguous_rows() && g.r * run <= kPanelRows)) {
    visit(Part{g.r, run, 0, 0});
    return;
  }
  if (!g.contiguous_rows()) {
    for (std::int64_t r = 0; r < g.r; ++r) {
      visit(Part{g.s, g.c_per_group(), r * image_row, r * weight_row});
    }
    return;
  }
  for (std::int64_t r = 0; r < g.r; ++r) {
    for (std::int64_t first = 0; first < run; first += kPanelRows) {
      visit(Part{1, std::min(kPanelRows, run - first), r * image_row + first,
                 r * weight_row + first * g.k});
    }
  }
}

// Rows `row` .. row + rows of the outputs of some images. More than one image: all rows.
struct Portion {
  std::int64_t image;
  std::int64_t images;
  std::int64_t row;
  std::int64_t rows;
};

// Calls visit(portion) for all outputs of `n` images in order, so many at a time that they stay in
// the second-level cache together with what they were made of.
template <typename Visit>
void for_each_portion(const ConvGeometry& g, std::int64_t n, const Visit& visit) {
  constexpr std::int64_t kLeastPixels = 512;  // or starting from what was summed so far costs time
  const std::int64_t row = g.q * g.k + g.stride.h * g.padded_w() * g.c;
  const std::int64_t most = std::max(kCachedFloats / row, (kLeastPixels + g.q - 1) / g.q);
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

}  // namespace

void direct_forward(const ConvGeometry& g, const ConvArrays& arrays, const OutputStrides& strides,
                    std::int64_t begin, std::int64_t end) {
  static const auto kernel = blis::brgemm_kernel();
  const std::int64_t k = g.k_per_group();
  const std::int64_t width = panel_columns(g);
  const std::int64_t panels = (k + width - 1) / width;
  const std::int64_t image_row = g.dilation.h * g.padded_w() * g.c;
  const std::int64_t weight_row = g.s * g.c_per_group() * g.k;
  // Where panels leave gaps, the processor does not foresee what is stored next.
  const bool is_far = strides.pixel > width && (end - begin) * g.q * g.k > kCachedFloats;
  while (begin < end) {
    const std::int64_t image = begin / g.p;
    const std::int64_t stop = std::min(end, (image + 1) * g.p);
    for (std::int64_t i = 0; i < g.groups * panels; ++i) {
      const std::int64_t group = i / panels;
      const std::int64_t column = group * k + i % panels * width;
      for_each_part(g, [&](const Part& part) {
        const bool is_first = part.image_offset == 0;
        blis::Brgemm product{
            .m = g.q,
            .n = std::min(width, (group + 1) * k - column),
            .k = part.k,
            .batch = part.batch,
            .a_row_stride = g.stride.w * g.c,
            .a_batch_stride = g.contiguous_rows() ? image_row : g.dilation.w * g.c,
            .b = arrays.weight + column + part.weight_offset,
            .b_row_stride = g.k,
            .b_batch_stride = g.contiguous_rows() ? weight_row : g.c_per_group() * g.k,
            .c_row_stride = strides.pixel,
            .c_is_far = is_far,
            .accumulate = !is_first,
            .bias = arrays.bias == nullptr ? nullptr : arrays.bias + column};
        const std::int64_t top = begin - image * g.p;
        product.a = arrays.images + group * g.c_per_group() + part.image_offset +
                    (image * g.padded_h() + top * g.stride.h) * g.padded_w() * g.c;
        product.c = arrays.y + image * strides.image + top * strides.row + column;
        for (std::int64_t row = begin; row < stop; ++row) {
          kernel(product);
          product.a += g.stride.h * g.padded_w() * g.c;
          product.c += strides.row;
        }
      });
    }
    begin = stop;
  }
}

void direct_forward(const ConvGeometry& g, const ConvArrays& arrays, std::int64_t begin,
                    std::int64_t end) {
  direct_forward(g, arrays, {g.p * g.q * g.k, g.q * g.k, g.k}, begin, end);
}

void direct_backward_weight(const ConvGeometry& g, const Tensor& padded, const Tensor& grad_y,
                            Tensor& grad_weight) {
  static const auto kernel = blis::brgemm_kernel();
  // A unit is a block of the weight's rows (r, s, c) of a group. Each is summed over all images in
  // order, by one thread, so the bits depend neither on the blocks nor on the number of threads.
  constexpr std::int64_t kMostRows = 24;
  const std::int64_t threads = num_threads();
  const std::int64_t rows = g.r * g.s * g.c_per_group();
  const std::int64_t full = (rows + kMostRows - 1) / kMostRows;
  const std::int64_t blocks =
      g.groups >= threads ? full : std::min((full + threads - 1) / threads * threads, rows);
  const PoolArray<std::int64_t> offsets = weight_row_offsets(g);
  const std::int64_t k = g.k_per_group();
  parallel_for(g.groups * blocks, [&](std::int64_t begin, std::int64_t end, int) {
    for_each_portion(g, grad_y.shape().n(), [&](const Portion& portion) {
      for (std::int64_t unit = begin; unit < end; ++unit) {
        const std::int64_t group = unit / blocks;
        const std::int64_t first = rows * (unit % blocks) / blocks;
        kernel(
            {.m = rows * (unit % blocks + 1) / blocks - first,
             .n = k,
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
             .b = grad_y.data() + (portion.image * g.p + portion.row) * g.q * g.k + group * k,
             .b_row_stride = g.k,
             .b_batch_stride = g.q * g.k,
             .b_group_stride = g.p * g.q * g.k,
             .c = grad_weight.data() + first * g.k + group * k,
             .c_row_stride = g.k,
             .accumulate = true});
      }
    });
  });
}

}  // namespace convoy::nn
