// Where much of x is zero, as behind a ReLU, forward leaves zeros out. Which way is taken depends
// on the data; the bits are the same either way.
#include "core/nn/linear_float32.h"

#include <algorithm>

#include "core/base/parallel.h"
#include "core/blis/gemm.h"
#include "core/nn/linear_factors.h"
#include "core/nn/matrix_rows.h"
#include "core/nn/share_out.h"
#include "core/nn/spaced_row.h"
#include "core/nn/sparse_product_kernel.h"

namespace convoy::nn {
namespace {

// Percentage of zeros from which on leaving them out is faster. (fc1 of the tutorial, AVX-512, at
// 40, 50 and 60 %: 1.07, 1.2 and 1.3 times with 32 images, 1.0, 1.1 and 1.3 with 64, 1.0, 1.2 and
// 1.3 with 256. AVX2, 32 images, 30 %: 1.06.)
constexpr std::int64_t kSparseFrom = 40;

// Images whose outputs, read and written again for each few rows of the weight, stay in the cache.
constexpr std::int64_t kMostSparseImages = 256;

// Rows of the weight that a product without zeros sums over at a time.
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

}  // namespace

Tensor float32_linear_forward(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  const std::int64_t n = x.shape()[0];
  const std::int64_t out = weight.shape()[1];
  Tensor y({n, out});
  for (std::int64_t row = 0; !bias.empty() && row < n; ++row) {
    std::copy_n(bias.data(), out, y.data() + row * out);
  }
  const bool sparse = n <= kMostSparseImages && is_sparse(x, kSparseFrom);
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
  Tensor memory({LinearFactors::floats(n, in, out)});
  LinearFactors factors(memory.values(), in, out);
  factors.assign(x, grad_y);
  const std::int64_t most = factors.rows_at_once();
  share_out(in, [&](std::int64_t first, std::int64_t count, int) {
    for (std::int64_t row = first; row < first + count; row += most) {
      factors.multiply(row, std::min(most, first + count - row), grad.sum.data() + row * out,
                       grad.accumulate);
    }
  });
}

}  // namespace convoy::nn
