// All three passes hand the micro-kernel (core/blis/brgemm.h) strided views of channels-last
// images: one output row at a time, the pixels as rows of A, with a kernel row's (s, c) run as k
// and the kernel rows as the batch. Where a kernel row is not contiguous (groups, dilation along
// the width), k is the group's channels, the batch is s, and kernel rows are added one after the
// other.
#include "core/nn/conv2d_compute.h"

#include <algorithm>

#include "core/base/parallel.h"
#include "core/blis/brgemm.h"
#include "core/nn/conv2d_pad.h"

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

// weight (R, S, C/groups, K) -> (R, S, K, C/groups) with both kernel axes reversed: the kernel of
// the data gradient, which is a convolution too.
Tensor flip(const ConvGeometry& g, const Tensor& weight) {
  const std::int64_t c = g.c_per_group();
  const std::int64_t taps = g.r * g.s;
  Tensor flipped({g.r, g.s, g.k, c});
  parallel_for(taps, [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t tap = begin; tap < end; ++tap) {
      const float* from = weight.data() + (taps - 1 - tap) * c * g.k;
      float* to = flipped.data() + tap * c * g.k;
      for (std::int64_t k = 0; k < g.k; ++k) {
        for (std::int64_t i = 0; i < c; ++i) {
          *to++ = from[i * g.k + k];
        }
      }
    }
  });
  return flipped;
}

// Stride 1, contiguous kernel rows: each pixel of x gathers from grad_y.
Tensor backward_data_by_gathering(const ConvGeometry& g, const Tensor& grad_y,
                                  const Tensor& flipped) {
  const std::int64_t reach_h = g.dilation.h * (g.r - 1);
  const std::int64_t reach_w = g.s - 1;
  // Zero padding needs the gradient of the image only; the other modes that of the padding as well.
  const bool inside = g.mode == PaddingMode::kZeros;
  const std::int64_t top = inside ? g.top : 0;
  const std::int64_t left = inside ? g.left : 0;
  const ConvGeometry gather{.n = g.n,
                            .h = (inside ? g.h : g.padded_h()) + reach_h,
                            .w = (inside ? g.w : g.padded_w()) + reach_w,
                            .c = g.k,
                            .k = g.c,
                            .r = g.r,
                            .s = g.s,
                            .p = inside ? g.h : g.padded_h(),
                            .q = inside ? g.w : g.padded_w(),
                            .dilation = g.dilation};
  const Tensor seen = window(grad_y, top - reach_h, left - reach_w, gather.h, gather.w);
  Tensor grad = conv_forward(gather, seen, flipped, {});
  return inside ? grad : unpad(g, grad);
}

// Any stride, dilation and groups: each pixel of grad_y scatters to the pixels it was made of.
Tensor backward_data_by_scattering(const ConvGeometry& g, const Tensor& grad_y,
                                   const Tensor& flipped) {
  static const auto kernel = blis::brgemm_kernel();
  const std::int64_t c = g.c_per_group();
  const std::int64_t k = g.k_per_group();
  Tensor grad = Tensor::zeros({g.n, g.padded_h(), g.padded_w(), g.c});
  parallel_for(g.n, [&](std::int64_t begin, std::int64_t end, int) {
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
  return unpad(g, grad);
}

}  // namespace

Tensor conv_forward(const ConvGeometry& g, const Tensor& padded, const Tensor& weight,
                    const Tensor& bias) {
  Tensor y({g.n, g.p, g.q, g.k});
  const std::int64_t k = g.k_per_group();
  const std::int64_t panels = (k + kPanel - 1) / kPanel;
  parallel_for(g.n * g.p, [&](std::int64_t begin, std::int64_t end, int) {
    while (begin < end) {
      const std::int64_t image = begin / g.p;
      const std::int64_t stop = std::min(end, (image + 1) * g.p);
      for (std::int64_t i = 0; i < g.groups * panels; ++i) {
        const std::int64_t group = i / panels;
        const std::int64_t column = group * k + i % panels * kPanel;
        for (std::int64_t row = begin; row < stop; ++row) {
          const std::int64_t image_row = image * g.padded_h() + row % g.p * g.stride.h;
          forward_row(
              g, {.x = padded.data() + image_row * g.padded_w() * g.c + group * g.c_per_group(),
                  .weight = weight.data() + column,
                  .bias = bias.empty() ? nullptr : bias.data() + column,
                  .y = y.data() + row * g.q * g.k + column,
                  .columns = std::min(kPanel, (group + 1) * k - column)});
        }
      }
      begin = stop;
    }
  });
  return y;
}

void conv_backward_weight(const ConvGeometry& g, const Tensor& padded, const Tensor& grad_y,
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
    for (std::int64_t image = 0; image < g.n; ++image) {
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

void conv_backward_bias(const ConvGeometry& g, const Tensor& grad_y, Tensor& grad_bias) {
  Tensor per_image = Tensor::zeros({g.n, g.k});
  parallel_for(g.n, [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t image = begin; image < end; ++image) {
      float* sum = per_image.data() + image * g.k;
      const float* pixel = grad_y.data() + image * g.p * g.q * g.k;
      for (std::int64_t i = 0; i < g.p * g.q; ++i, pixel += g.k) {
        for (std::int64_t k = 0; k < g.k; ++k) {
          sum[k] += pixel[k];
        }
      }
    }
  });
  for (std::int64_t k = 0; k < g.k; ++k) {
    double sum = 0;
    for (std::int64_t image = 0; image < g.n; ++image) {
      sum += static_cast<double>(per_image.data()[image * g.k + k]);
    }
    grad_bias.data()[k] += static_cast<float>(sum);
  }
}

Tensor conv_backward_data(const ConvGeometry& g, const Tensor& grad_y, const Tensor& weight) {
  const Tensor flipped = flip(g, weight);
  return g.stride == Size2(1) && g.contiguous_rows()
             ? backward_data_by_gathering(g, grad_y, flipped)
             : backward_data_by_scattering(g, grad_y, flipped);
}

}  // namespace convoy::nn
