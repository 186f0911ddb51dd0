#include "core/nn/linear_bf16.h"

#include <algorithm>

#include "core/base/parallel.h"
#include "core/blis/bf16.h"
#include "core/nn/share_out.h"
#include "core/nn/spaced_row.h"
#include "core/tensor/pool_array.h"
#include "core/tensor/transpose.h"

namespace convoy::nn {
namespace {

using blis::Bf16;

// Blocks of the weight that are rounded and multiplied while they are in the cache.
constexpr std::int64_t kForwardRows = 256;
constexpr std::int64_t kForwardColumns = 128;
constexpr std::int64_t kDataElements = 1 << 16;
constexpr std::int64_t kWeightRows = 32;

std::int64_t pairs_of(std::int64_t k) {
  return (k + 1) / 2;
}

PoolArray<Bf16> paired(const Tensor& matrix) {
  return blis::bf16_pairs(matrix.data(), matrix.shape()[0], matrix.shape()[1]);
}

struct Rows {
  std::int64_t stride;
  PoolArray<Bf16> bits;
};
Rows rounded_rows(const Tensor& matrix) {
  const std::int64_t rows = matrix.shape()[0];
  const std::int64_t columns = matrix.shape()[1];
  Rows rounded{.stride = spaced_row<Bf16>(columns), .bits = {}};
  rounded.bits = PoolArray<Bf16>(rows * rounded.stride);
  parallel_for(rows, [&](std::int64_t begin, std::int64_t end, int) {
    blis::bf16_round_rows({.rows = end - begin,
                           .columns = columns,
                           .from = matrix.data() + begin * columns,
                           .from_stride = columns,
                           .to = rounded.bits.data() + begin * rounded.stride,
                           .to_stride = rounded.stride});
  });
  return rounded;
}

}  // namespace

Tensor bf16_linear_forward(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  const std::int64_t n = x.shape()[0];
  const std::int64_t in = weight.shape()[0];
  const std::int64_t out = weight.shape()[1];
  const Rows rows = rounded_rows(x);
  Tensor y({n, out});
  PoolArray<Bf16> blocks(num_threads() * kForwardRows * kForwardColumns);
  share_out(out, [&](std::int64_t first, std::int64_t count, int thread) {
    Bf16* block = blocks.data() + thread * kForwardRows * kForwardColumns;
    for (std::int64_t k = 0; k < in; k += kForwardRows) {
      const std::int64_t height = std::min(kForwardRows, in - k);
      for (std::int64_t column = first; column < first + count; column += kForwardColumns) {
        const std::int64_t width = std::min(kForwardColumns, first + count - column);
        blis::bf16_round_pairs({.rows = height,
                                .columns = width,
                                .from = weight.data() + k * out + column,
                                .from_stride = out,
                                .to = block,
                                .to_stride = 2 * kForwardColumns});
        blis::bf16_multiply({.m = n,
                             .n = width,
                             .pairs = pairs_of(height),
                             .a = rows.bits.data() + k,
                             .a_row_stride = rows.stride,
                             .b = block,
                             .b_pair_stride = 2 * kForwardColumns,
                             .c = y.data() + column,
                             .c_row_stride = out,
                             .accumulate = k > 0,
                             .bias = bias.empty() ? nullptr : bias.data() + column});
      }
    }
  });
  return y;
}

Tensor bf16_linear_backward_data(const Tensor& weight, const Tensor& grad_y_t) {
  const std::int64_t in = weight.shape()[0];
  const std::int64_t out = weight.shape()[1];
  const std::int64_t n = grad_y_t.shape()[1];
  const std::int64_t stride = spaced_row<Bf16>(out);
  const PoolArray<Bf16> grad_pairs = paired(grad_y_t);
  Tensor grad_x_t({in, n});
  const std::int64_t block_rows = std::clamp<std::int64_t>(kDataElements / stride, 16, 128);
  PoolArray<Bf16> blocks(num_threads() * block_rows * stride);
  share_out(in, [&](std::int64_t first, std::int64_t count, int thread) {
    Bf16* block = blocks.data() + thread * block_rows * stride;
    for (std::int64_t row = first; row < first + count; row += block_rows) {
      const std::int64_t rows = std::min(block_rows, first + count - row);
      blis::bf16_round_rows({.rows = rows,
                             .columns = out,
                             .from = weight.data() + row * out,
                             .from_stride = out,
                             .to = block,
                             .to_stride = stride});
      blis::bf16_multiply({.m = rows,
                           .n = n,
                           .pairs = pairs_of(out),
                           .a = block,
                           .a_row_stride = stride,
                           .b = grad_pairs.data(),
                           .b_pair_stride = 2 * n,
                           .c = grad_x_t.data() + row * n,
                           .c_row_stride = n});
    }
  });
  return grad_x_t;
}

void bf16_linear_backward_weight(const Tensor& x, const Tensor& grad_y,
                                 const Parameter::GradSum& grad) {
  const std::int64_t n = x.shape()[0];
  const std::int64_t in = x.shape()[1];
  const std::int64_t out = grad_y.shape()[1];
  // Pairs of images.
  Tensor x_t({in, n});
  share_out(in, [&](std::int64_t first, std::int64_t count, int) {
    transpose({n, count, x.data() + first, in, x_t.data() + first * n, n});
  });
  const Rows rows = rounded_rows(x_t);
  const PoolArray<Bf16> grad_pairs = paired(grad_y);
  share_out(in, [&](std::int64_t first, std::int64_t count, int) {
    for (std::int64_t row = first; row < first + count; row += kWeightRows) {
      blis::bf16_multiply({.m = std::min(kWeightRows, first + count - row),
                           .n = out,
                           .pairs = pairs_of(n),
                           .a = rows.bits.data() + row * rows.stride,
                           .a_row_stride = rows.stride,
                           .b = grad_pairs.data(),
                           .b_pair_stride = 2 * out,
                           .c = grad.sum.data() + row * out,
                           .c_row_stride = out,
                           .accumulate = grad.accumulate});
    }
  });
}

}  // namespace convoy::nn
