#include "core/nn/conv2d_bf16.h"

#include <algorithm>

namespace convoy::nn {
namespace {

using blis::Bf16;

// Columns of a weight panel, and how many of its rows stay in the first-level cache while output
// rows pass by.
constexpr std::int64_t kPanel = 32;
constexpr std::int64_t kPanelRows = 640;

// Of rounded image rows: they stay in the second-level cache.
constexpr std::int64_t kScratchElements = 128 << 10;

// Rows of the padded image that some output rows are made of.
std::int64_t input_rows(const ConvGeometry& g, std::int64_t rows) {
  return (rows - 1) * g.stride.h + g.dilation.h * (g.r - 1) + 1;
}

// Output rows of an image at once.
std::int64_t block_rows(const ConvGeometry& g) {
  const std::int64_t fitting = kScratchElements / (g.padded_w() * g.c);
  const std::int64_t beyond_one = (fitting - input_rows(g, 1)) / g.stride.h;
  return std::clamp<std::int64_t>(beyond_one + 1, 1, g.p);
}

// Rows of one padded image, rounded: from `first`, counted from the padding's top, to `to`.
void round_padded(const ConvGeometry& g, const float* image, std::int64_t first, std::int64_t rows,
                  Bf16* to) {
  const std::int64_t row_elements = g.padded_w() * g.c;
  for (std::int64_t i = 0; i < rows; ++i, to += row_elements) {
    const std::int64_t row = first + i - g.top;
    if (row < 0 || row >= g.h) {
      std::fill_n(to, row_elements, Bf16{0});
      continue;
    }
    std::fill_n(to, g.left * g.c, Bf16{0});
    blis::bf16_round_rows({.rows = 1,
                           .columns = g.w * g.c,
                           .from = image + row * g.w * g.c,
                           .to = to + g.left * g.c});
    std::fill_n(to + (g.left + g.w) * g.c, g.right * g.c, Bf16{0});
  }
}

// Output rows begin .. end of one image, whose rounded rows begin at `rounded`, to y.
void multiply(const ConvGeometry& g, const Bf16Arrays& arrays, const Bf16* rounded,
              std::int64_t rows, float* y) {
  const std::int64_t run = g.s * g.c;
  const std::int64_t image_row = g.padded_w() * g.c;
  // Kernel rows, or parts of one, whose weights stay in the cache.
  const bool whole = g.r * run <= kPanelRows;
  const std::int64_t part = whole ? run : std::min(run, kPanelRows);
  for (std::int64_t column = 0; column < g.k; column += kPanel) {
    for (std::int64_t r = 0; r < (whole ? 1 : g.r); ++r) {
      for (std::int64_t first = 0; first < run; first += part) {
        blis::bf16_multiply({.m = g.q,
                             .n = std::min(kPanel, g.k - column),
                             .pairs = std::min(part, run - first) / 2,
                             .batch = whole ? g.r : 1,
                             .runs = rows,
                             .a = rounded + r * g.dilation.h * image_row + first,
                             .a_row_stride = g.stride.w * g.c,
                             .a_batch_stride = g.dilation.h * image_row,
                             .a_run_stride = g.stride.h * image_row,
                             .b = arrays.weight + (r * run + first) * g.k + 2 * column,
                             .b_pair_stride = 2 * g.k,
                             .b_batch_stride = run * g.k,
                             .c = y + column,
                             .c_row_stride = g.k,
                             .accumulate = r > 0 || first > 0,
                             .bias = arrays.bias == nullptr ? nullptr : arrays.bias + column});
      }
    }
  }
}

}  // namespace

bool bf16_fits(const Conv2dOptions& o) {
  return o.groups == 1 && (o.dilation.w == 1 || o.kernel_size.w == 1) && o.in_channels % 2 == 0 &&
         o.padding_mode == PaddingMode::kZeros;
}

bool bf16_backward_fits(const ConvGeometry& g) {
  // The convolution that gives the images' gradient pads by the rest of the reach.
  const auto pads_itself = [](std::int64_t padding, std::int64_t reach) {
    return padding >= 0 && padding <= reach;
  };
  const std::int64_t reach_h = g.dilation.h * (g.r - 1);
  return g.precision == Precision::kBfloat16 && blis::bf16_in_tiles() && g.stride == Size2(1) &&
         g.k % 2 == 0 && pads_itself(g.top, reach_h) && pads_itself(g.bottom, reach_h) &&
         pads_itself(g.left, g.s - 1) && pads_itself(g.right, g.s - 1);
}

std::int64_t bf16_scratch(const ConvGeometry& g) {
  return input_rows(g, block_rows(g)) * g.padded_w() * g.c;
}

void bf16_forward(const ConvGeometry& g, const Bf16Arrays& arrays, std::int64_t begin,
                  std::int64_t end, std::span<Bf16> scratch) {
  const std::int64_t most = block_rows(g);
  while (begin < end) {
    const std::int64_t image = begin / g.p;
    const std::int64_t first = begin % g.p;
    const std::int64_t rows = std::min({most, end - begin, g.p - first});
    round_padded(g, arrays.images + image * g.h * g.w * g.c, first * g.stride.h,
                 input_rows(g, rows), scratch.data());
    multiply(g, arrays, scratch.data(), rows, arrays.y + begin * g.q * g.k);
    begin += rows;
  }
}

}  // namespace convoy::nn
