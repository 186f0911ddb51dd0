// Where much of x is zero, as behind a ReLU, zeros are left out; the bits are the same either way.
#include "core/nn/linear_factors.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/blis/gemm.h"
#include "core/nn/matrix_rows.h"
#include "core/nn/share_out.h"
#include "core/nn/spaced_row.h"
#include "core/tensor/transpose.h"

namespace convoy::nn {
namespace {

constexpr std::int64_t kLine = 16;  // floats

// Of so few images the gradient is made faster row by row than in tiles, whatever is zero: it takes
// longest to write it (AVX-512, 1 to 8 images: 1.36 to 1.5 times).
constexpr std::int64_t kRowByRowImages = 8;

// Percentage of zeros from which on leaving them out is faster. (fc1 of the tutorial, AVX-512, at
// 40, 50 and 60 %: 1.3, 1.5 and 1.7 times with 32 images, 1.0, 1.1 and 1.1 with 64, 0.85, 0.95 and
// 1.05 with 256. AVX2, 32 images, 30 %: 1.2.)
std::int64_t sparse_from(std::int64_t images) {
  return images <= 32 ? 35 : images <= 128 ? 45 : 54;
}

// Images that a product without zeros sums over at a time.
constexpr std::int64_t kSparseImages = 32;
static_assert(kSparseImages <= kMostSparse);

}  // namespace

// The memory begins with this, in a line of its own; grad_y and x transposed follow, both in spaced
// rows.
struct LinearFactors::Header {
  std::int64_t there;  // 1 or 0
  std::int64_t images;
  std::int64_t sparse;  // 1 or 0
};

std::int64_t LinearFactors::floats(std::int64_t images, std::int64_t in, std::int64_t out) {
  return kLine + images * spaced_row<float>(out) + in * spaced_row<float>(images);
}

LinearFactors::LinearFactors(std::span<float> memory, std::int64_t in, std::int64_t out)
    : memory_(memory), in_(in), out_(out) {}

LinearFactors::Header& LinearFactors::header() const {
  static_assert(sizeof(Header) <= kLine * sizeof(float));
  return *reinterpret_cast<Header*>(memory_.data());
}

float* LinearFactors::grad_y() const {
  return memory_.data() + kLine;
}

float* LinearFactors::x_t(std::int64_t images) const {
  return grad_y() + images * spaced_row<float>(out_);
}

void LinearFactors::clear() {
  header().there = 0;
}

bool LinearFactors::there() const {
  return header().there == 1;
}

std::int64_t LinearFactors::images() const {
  return header().images;
}

void LinearFactors::assign(const Tensor& x, const Tensor& grad_y) {
  const std::int64_t n = x.shape()[0];
  check(floats(n, in_, out_) <= std::ssize(memory_),
        "the factors of a gradient for {} images take {} floats, there is room for {}", n,
        floats(n, in_, out_), memory_.size());
  const bool sparse = (n >= 1 && n <= kRowByRowImages) || is_sparse(x, sparse_from(n));
  header() = {.there = 1, .images = n, .sparse = sparse ? 1 : 0};
  copy_rows(n, out_, grad_y.data(), out_, this->grad_y(), spaced_row<float>(out_));
  const std::int64_t stride = spaced_row<float>(n);
  share_out(in_, [&](std::int64_t first, std::int64_t count, int) {
    transpose({n, count, x.data() + first, in_, x_t(n) + first * stride, stride});
  });
}

void LinearFactors::multiply(std::int64_t first, std::int64_t count, float* rows,
                             bool accumulate) const {
  static const auto multiply_sparse = multiply_sparse_kernel();
  const auto [there, n, sparse] = header();
  const std::int64_t stride = spaced_row<float>(n);
  const std::int64_t grad_stride = spaced_row<float>(out_);
  const float* x = x_t(n) + first * stride;
  if (sparse == 0) {
    blis::gemm(count, out_, n, {.data = x, .row_stride = stride},
               {.data = grad_y(), .row_stride = grad_stride}, {.data = rows, .row_stride = out_},
               accumulate);
    return;
  }
  for (std::int64_t image = 0; image < n; image += kSparseImages) {
    multiply_sparse({.m = count,
                     .n = out_,
                     .k = std::min(kSparseImages, n - image),
                     .a = x + image,
                     .a_row_stride = stride,
                     .b = grad_y() + image * grad_stride,
                     .b_row_stride = grad_stride,
                     .c = rows,
                     .c_row_stride = out_,
                     .accumulate = accumulate || image > 0});
  }
}

// Of few images, writing the gradient takes longest: it is done almost row by row. Of many, reading
// grad_y again for every few rows would.
std::int64_t LinearFactors::rows_at_once() const {
  const auto [there, n, sparse] = header();
  return n <= 64 || sparse == 1 ? 28 : 168;
}

}  // namespace convoy::nn
