// The forward pass hands the micro-kernel (core/blis/brgemm.h) strided views of channels-last
// images: one output row at a time, the pixels as rows of A, with a kernel row's (s, c) run as k
// and the kernel rows as the batch. Where a kernel row is not contiguous (groups, dilation along
// the width), k is the group's channels and the batch is s. A sum too long for the cache is added
// up part by part, each for all rows of an image, in the same order.
#include "core/nn/conv2d_direct.h"

#include <algorithm>

#include "core/blis/brgemm.h"

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

}  // namespace convoy::nn
