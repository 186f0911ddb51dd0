// Where much of x is zero, as behind a ReLU, forward and the weight's gradient leave zeros out.
// Which way is taken depends on the data; the bits are the same either way.
#include "core/nn/linear_float32.h"

#include <algorithm>

#include "core/base/parallel.h"
#include "core/blis/gemm.h"
#include "core/nn/share_out.h"
#include "core/nn/spaced_row.h"
#include "core/nn/sparse_product_kernel.h"
#include "core/tensor/transpose.h"

namespace convoy::nn {
namespace {

// Percentages of zeros from which on leaving them out is faster. (fc1 of the tutorial, AVX-512, at
// 40, 50 and 60 %: forward 1.07, 1.2 and 1.3 times with 32 images, 1.0, 1.1 and 1.3 with 64, 1.0,
// 1.2 and 1.3 with 256; the weight's gradient 1.3, 1.5 and 1.7, 1.0, 1.1 and 1.1, and 0.85, 0.95
// and 1.05. AVX2, 32 images, 30 %: 1.06 and 1.2.)
constexpr std::int64_t kForwardZeros = 40;
std::int64_t weight_zeros(std::int64_t n) {
  return n <= 32 ? 35 : n <= 128 ? 45 : 54;
}

bool is_sparse(const Tensor& x, std::int64_t percent) {
  static const auto count = count_zeros_kernel();
  std::int64_t zeros = 0;
  count(x.data(), x.elements(), zeros);
  return zeros * 100 > x.elements() * percent;
}

// Of so few images the weight's gradient is made faster row by row than in tiles, whatever is zero:
// it takes longest to write it (AVX-512, 1 to 8 images: 1.36 to 1.5 times).
constexpr std::int64_t kRowByRowImages = 8;

// Images whose outputs, read and written again for each few rows of the weight, stay in the cache.
constexpr std::int64_t kMostSparseImages = 256;

// Rows of the weight, or images, that a product without zeros sums over at a time.
constexpr std::int64_t kSparseRows = 32;
static_assert(kSparseRows <= kMostSparse);

// The part of the weight that forward multiplies at once stays in the second-level cache, and so do
// the outputs that it adds to. For few images it is made of almost whole rows, which come fast from
// memory.
struct Block {
  std::int64_t rows;
  std::int64_t columns;
};
Block forward_block(std::int64_t n) {
  constexpr std::int64_t kWeights = 40 << 10;
  constexpr std::int64_t kOutputs = 32 << 10;
  const std::int64_t columns =
      std::clamp<std::int64_t>(kOutputs / std::max<std::int64_t>(n, 1), 128, 640) / 64 * 64;
  return {.rows = kWeights / columns, .columns = columns};
}

// To rows that begin with a cache line each: of others most vectors lie across two lines, and are
// loaded in twice the time.
void copy_rows(std::int64_t rows, std::int64_t columns, const float* from, std::int64_t from_stride,
               float* to, std::int64_t to_stride) {
  for (std::int64_t row = 0; row < rows; ++row) {
    std::copy_n(from + row * from_stride, columns, to + row * to_stride);
  }
}

// y (N, out) += x weight, or = unless `accumulate`.
void add_dense(const Tensor& x, const Tensor& weight, bool accumulate, Tensor& y) {
  const std::int64_t n = x.shape()[0];
  const std::int64_t in = weight.shape()[0];
  const std::int64_t out = weight.shape()[1];
  const std::int64_t stride = spaced_row<float>(in);
  Tensor rows({n, stride});
  parallel_for(n, [&](std::int64_t begin, std::int64_t end, int) {
    copy_rows(end - begin, in, x.data() + begin * in, in, rows.data() + begin * stride, stride);
  });
  const Block block = forward_block(n);
  share_out(out, [&](std::int64_t first, std::int64_t count, int) {
    for (std::int64_t k = 0; k < in; k += block.rows) {
      for (std::int64_t column = first; column < first + count; column += block.columns) {
        blis::gemm(n, std::min(block.columns, first + count - column), std::min(block.rows, in - k),
                   {.data = rows.data() + k, .row_stride = stride},
                   {.data = weight.data() + k * out + column, .row_stride = out},
                   {.data = y.data() + column, .row_stride = out}, accumulate || k > 0);
      }
    }
  });
}

void add_sparse(const Tensor& x, const Tensor& weight, bool accumulate, Tensor& y) {
  static const auto multiply = multiply_sparse_kernel();
  const std::int64_t n = x.shape()[0];
  const std::int64_t in = weight.shape()[0];
  const std::int64_t out = weight.shape()[1];
  const std::int64_t stride = spaced_row<float>(out);
  Tensor blocks({num_threads(), kSparseRows * stride});
  share_out(out, [&](std::int64_t first, std::int64_t count, int thread) {
    float* block = blocks.data() + thread * kSparseRows * stride;
    for (std::int64_t k = 0; k < in; k += kSparseRows) {
      const std::int64_t rows = std::min(kSparseRows, in - k);
      copy_rows(rows, count, weight.data() + k * out + first, out, block, stride);
      multiply({.m = n,
                .n = count,
                .k = rows,
                .a = x.data() + k,
                .a_row_stride = in,
                .b = block,
                .b_row_stride = stride,
                .c = y.data() + first,
                .c_row_stride = out,
                .accumulate = accumulate || k > 0});
    }
  });
}

// Some rows of the weight's gradient, from as many rows of x transposed and all of grad_y.
struct WeightRows {
  std::int64_t rows;
  std::int64_t n;
  std::int64_t out;
  const float* x_t;
  std::int64_t x_t_stride;
  const float* grad_y;
  std::int64_t grad_y_stride;
  float* gradient;
  bool accumulate;
};

void dense_weight_rows(const WeightRows& w) {
  blis::gemm(w.rows, w.out, w.n, {.data = w.x_t, .row_stride = w.x_t_stride},
             {.data = w.grad_y, .row_stride = w.grad_y_stride},
             {.data = w.gradient, .row_stride = w.out}, w.accumulate);
}

void sparse_weight_rows(const WeightRows& w) {
  static const auto multiply = multiply_sparse_kernel();
  for (std::int64_t image = 0; image < w.n; image += kSparseRows) {
    multiply({.m = w.rows,
              .n = w.out,
              .k = std::min(kSparseRows, w.n - image),
              .a = w.x_t + image,
              .a_row_stride = w.x_t_stride,
              .b = w.grad_y + image * w.grad_y_stride,
              .b_row_stride = w.grad_y_stride,
              .c = w.gradient,
              .c_row_stride = w.out,
              .accumulate = w.accumulate || image > 0});
  }
}

}  // namespace

Tensor float32_linear_forward(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  const std::int64_t n = x.shape()[0];
  const std::int64_t out = weight.shape()[1];
  Tensor y({n, out});
  for (std::int64_t row = 0; !bias.empty() && row < n; ++row) {
    std::copy_n(bias.data(), out, y.data() + row * out);
  }
  const bool sparse = n <= kMostSparseImages && is_sparse(x, kForwardZeros);
  (sparse ? add_sparse : add_dense)(x, weight, !bias.empty(), y);
  return y;
}

Tensor float32_linear_backward_data(const Tensor& weight, const Tensor& grad_y_t) {
  const std::int64_t in = weight.shape()[0];
  const std::int64_t out = weight.shape()[1];
  const std::int64_t n = grad_y_t.shape()[1];
  Tensor grad_x_t({in, n});
  share_out(in, [&](std::int64_t first, std::int64_t count, int) {
    blis::gemm(count, n, out, {.data = weight.data() + first * out, .row_stride = out},
               {.data = grad_y_t.data(), .row_stride = n},
               {.data = grad_x_t.data() + first * n, .row_stride = n}, false);
  });
  return grad_x_t;
}

void float32_linear_backward_weight(const Tensor& x, const Tensor& grad_y,
                                    const Parameter::GradSum& grad) {
  const std::int64_t n = x.shape()[0];
  const std::int64_t in = x.shape()[1];
  const std::int64_t out = grad_y.shape()[1];
  const bool sparse = (n >= 1 && n <= kRowByRowImages) || is_sparse(x, weight_zeros(n));
  // Of few images, writing the gradient takes longest: it is done almost row by row. Of many,
  // reading grad_y again for every few rows would.
  const std::int64_t most = n <= 64 || sparse ? 28 : 168;
  const std::int64_t stride = spaced_row<float>(n);
  Tensor x_t({in, stride});
  const std::int64_t grad_stride = spaced_row<float>(out);
  Tensor grad_rows({n, grad_stride});
  copy_rows(n, out, grad_y.data(), out, grad_rows.data(), grad_stride);
  share_out(in, [&](std::int64_t first, std::int64_t count, int) {
    transpose({n, count, x.data() + first, in, x_t.data() + first * stride, stride});
    for (std::int64_t row = first; row < first + count; row += most) {
      const WeightRows rows{.rows = std::min(most, first + count - row),
                            .n = n,
                            .out = out,
                            .x_t = x_t.data() + row * stride,
                            .x_t_stride = stride,
                            .grad_y = grad_rows.data(),
                            .grad_y_stride = grad_stride,
                            .gradient = grad.sum.data() + row * out,
                            .accumulate = grad.accumulate};
      (sparse ? sparse_weight_rows : dense_weight_rows)(rows);
    }
  });
}

}  // namespace convoy::nn
