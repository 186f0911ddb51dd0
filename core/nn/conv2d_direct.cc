// All passes hand the micro-kernel (core/blis/brgemm.h) strided views of channels-last
// images: one output row at a time, the pixels as rows of A, with a kernel row's (s, c) run as k
// and the kernel rows as the batch. Where a kernel row is not contiguous (groups, dilation along
// the width), k is the group's channels, the batch is s, and kernel rows are added one after the
// other.
#include "core/nn/conv2d_direct.h"

#include <algorithm>

#include "core/base/parallel.h"
#include "core/blis/brgemm.h"

namespace convoy::nn {
namespace {

// Columns of a weight panel: a panel stays in the first-level cache while an image passes by.
constexpr std::int64_t kPanel = 32;

// One output row of one group of columns: y[0..q) of `columns` channels.
struct Row {
  const float* x;  // first pixel under the kernel
  const float* weight;
  const float* bias;
  float* y;
  std::int64_t columns;
};

void forward_row(const ConvGeometry& g, const Row& row) {
  static const auto kernel = blis::brgemm_kernel();
  blis::Brgemm call{.m = g.q,
                    .n = row.columns,
                    .a = row.x,
                    .a_row_stride = g.stride.w * g.c,
                    .b = row.weight,
                    .b_row_stride = g.k,
                    .c = row.y,
                    .c_row_stride = g.k,
                    .bias = row.bias};
  const std::int64_t image_row = g.dilation.h * g.padded_w() * g.c;
  const std::int64_t weight_row = g.s * g.c_per_group() * g.k;
  if (g.contiguous_rows()) {
    call.k = g.s * g.c;
    call.batch = g.r;
    call.a_batch_stride = image_row;
    call.b_batch_stride = weight_row;
    kernel(call);
    return;
  }
  call.k = g.c_per_group();
  call.batch = g.s;
  call.a_batch_stride = g.dilation.w * g.c;
  call.b_batch_stride = g.c_per_group() * g.k;
  for (std::int64_t r = 0; r < g.r; ++r) {
    kernel(call);
    call.a += image_row;
    call.b += weight_row;
    call.accumulate = true;
  }
}

}  // namespace

void direct_forward(const ConvGeometry& g, const DirectCall& call, std::int64_t begin,
                    std::int64_t end) {
  const std::int64_t k = g.k_per_group();
  const std::int64_t panels = (k + kPanel - 1) / kPanel;
  while (begin < end) {
    const std::int64_t image = begin / g.p;
    const std::int64_t stop = std::min(end, (image + 1) * g.p);
    for (std::int64_t i = 0; i < g.groups * panels; ++i) {
      const std::int64_t group = i / panels;
      const std::int64_t column = group * k + i % panels * kPanel;
      for (std::int64_t row = begin; row < stop; ++row) {
        const std::int64_t image_row = image * g.padded_h() + row % g.p * g.stride.h;
        forward_row(g, {.x = call.padded + image_row * g.padded_w() * g.c + group * g.c_per_group(),
                        .weight = call.weight + column,
                        .bias = call.bias == nullptr ? nullptr : call.bias + column,
                        .y = call.y + row * g.q * g.k + column,
                        .columns = std::min(kPanel, (group + 1) * k - column)});
      }
    }
    begin = stop;
  }
}

void direct_backward_weight(const ConvGeometry& g, const Tensor& padded, const Tensor& grad_y,
                            Tensor& grad_weight) {
  static const auto kernel = blis::brgemm_kernel();
  // A unit is a block of rows of the weight that lie side by side in every image: of one kernel row
  // if that is contiguous, else of one (r, s, group). Each is summed over all images in order, by
  // one thread, so the bits do not depend on the number of threads.
  constexpr std::int64_t kBlock = 14;
  const std::int64_t k = g.k_per_group();
  const std::int64_t run = g.contiguous_rows() ? g.s * g.c : g.c_per_group();
  const std::int64_t taps = g.contiguous_rows() ? g.r : g.r * g.s;
  const std::int64_t blocks = (run + kBlock - 1) / kBlock;
  const std::int64_t taps_per_row = taps / g.r;
  parallel_for(taps * g.groups * blocks, [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t image = 0; image < grad_y.shape().n(); ++image) {
      for (std::int64_t unit = begin; unit < end; ++unit) {
        const std::int64_t tap = unit / (g.groups * blocks);
        const std::int64_t group = unit / blocks % g.groups;
        const std::int64_t first = unit % blocks * kBlock;
        const std::int64_t image_row = image * g.padded_h() + tap / taps_per_row * g.dilation.h;
        const std::int64_t column = tap % taps_per_row * g.dilation.w;
        kernel({.m = std::min(kBlock, run - first),
                .n = k,
                .k = g.q,
                .batch = g.p,
                .a = padded.data() + (image_row * g.padded_w() + column) * g.c +
                     group * g.c_per_group() + first,
                .a_row_stride = 1,
                .a_column_stride = g.stride.w * g.c,
                .a_batch_stride = g.stride.h * g.padded_w() * g.c,
                .b = grad_y.data() + image * g.p * g.q * g.k + group * k,
                .b_row_stride = g.k,
                .b_batch_stride = g.q * g.k,
                .c = grad_weight.data() + (tap * run + first) * g.k + group * k,
                .c_row_stride = g.k,
                .accumulate = true});
      }
    }
  });
}

Tensor direct_scatter(const ConvGeometry& g, const Tensor& grad_y, const Tensor& flipped) {
  static const auto kernel = blis::brgemm_kernel();
  const std::int64_t c = g.c_per_group();
  const std::int64_t k = g.k_per_group();
  Tensor grad = Tensor::zeros({grad_y.shape().n(), g.padded_h(), g.padded_w(), g.c});
  parallel_for(grad_y.shape().n(), [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t row = begin * g.p; row < end * g.p; ++row) {
      const float* from = grad_y.data() + row * g.q * g.k;
      float* to =
          grad.data() + (row / g.p * g.padded_h() + row % g.p * g.stride.h) * g.padded_w() * g.c;
      for (std::int64_t tap = 0; tap < g.r * g.s; ++tap) {
        const float* weight = flipped.data() + (g.r * g.s - 1 - tap) * g.k * c;
        float* pixel =
            to + (tap / g.s * g.dilation.h * g.padded_w() + tap % g.s * g.dilation.w) * g.c;
        for (std::int64_t group = 0; group < g.groups; ++group) {
          kernel({.m = g.q,
                  .n = c,
                  .k = k,
                  .a = from + group * k,
                  .a_row_stride = g.k,
                  .b = weight + group * k * c,
                  .b_row_stride = c,
                  .c = pixel + group * c,
                  .c_row_stride = g.stride.w * g.c,
                  .accumulate = true});
        }
      }
    }
  });
  return grad;
}

}  // namespace convoy::nn
