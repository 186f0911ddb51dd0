#include "core/nn/conv2d_passes.h"

#include <algorithm>
#include <utility>

#include "core/base/parallel.h"
#include "core/nn/column_sums_kernel.h"
#include "core/nn/conv2d_gather.h"
#include "core/nn/conv2d_pad.h"

namespace convoy::nn {
namespace {

// Stride 1, contiguous kernel rows: each pixel of x gathers from grad_y. Zero padding needs the
// gradient of the image only; the other modes that of the padding as well.
ConvGeometry gather_of(const ConvGeometry& g) {
  const bool inside = g.mode == PaddingMode::kZeros;
  const std::int64_t reach_h = g.dilation.h * (g.r - 1);
  const std::int64_t reach_w = g.s - 1;
  return {.n = g.n,
          .h = g.p,
          .w = g.q,
          .c = g.k,
          .k = g.c,
          .r = g.r,
          .s = g.s,
          .p = inside ? g.h : g.padded_h(),
          .q = inside ? g.w : g.padded_w(),
          .dilation = g.dilation,
          .top = reach_h - (inside ? g.top : 0),
          .bottom = reach_h - (inside ? g.bottom : 0),
          .left = reach_w - (inside ? g.left : 0),
          .right = reach_w - (inside ? g.right : 0),
          .precision = bf16_backward_fits(g) ? Precision::kBfloat16 : Precision::kFloat32};
}

// Algorithms that pad on their way.
bool pads_itself(const ConvGeometry& g) {
  return g.precision == Precision::kBfloat16 || winograd_fits(g);
}

}  // namespace

Tensor images(const Tensor& batch, std::int64_t first, std::int64_t count) {
  const Shape& shape = batch.shape();
  const std::int64_t image = shape.h() * shape.w() * shape.c();
  return batch.slice(first * image, {count, shape.h(), shape.w(), shape.c()});
}

Tensor conv_input(const ConvGeometry& g, const Tensor& x) {
  return pads_itself(g) ? x : pad(g, x);
}

Tensor conv_padded(const ConvGeometry& g, const Tensor& input) {
  return pads_itself(g) ? pad(g, input) : input;
}

ConvForward::ConvForward(const ConvGeometry& g, const Tensor& weight)
    : g_(g),
      bf16_(g.precision == Precision::kBfloat16),
      winograd_(!bf16_ && winograd_fits(g)),
      weight_(weight) {
  if (bf16_) {
    bf16_weight_ = blis::bf16_pairs(weight.data(), weight.elements() / g.k, g.k);
    bf16_scratch_ = PoolArray<blis::Bf16>(num_threads() * bf16_scratch(g));
  } else if (winograd_) {
    weight_ = winograd_transformed(g, weight);
    scratch_ = Tensor({num_threads(), winograd_scratch(g)});
  }
}

std::int64_t ConvForward::units_per_image() const {
  return winograd_ ? winograd_tiles(g_) : g_.p;
}

void ConvForward::run(const Call& call, std::int64_t begin, std::int64_t end, int thread) {
  if (bf16_) {
    const auto size = static_cast<std::size_t>(bf16_scratch(g_));
    bf16_forward(g_, {call.input, bf16_weight_.data(), call.bias, call.y}, begin, end,
                 bf16_scratch_.values().subspan(static_cast<std::size_t>(thread) * size, size));
  } else if (winograd_) {
    const auto size = static_cast<std::size_t>(scratch_.shape()[1]);
    winograd_forward(g_, {call.input, weight_.data(), call.bias, call.y}, begin, end,
                     scratch_.values().subspan(static_cast<std::size_t>(thread) * size, size));
  } else {
    direct_forward(g_, {call.input, weight_.data(), call.bias, call.y}, begin, end);
  }
}

ConvWeightGradient::ConvWeightGradient(const ConvGeometry& g, Tensor grad_weight)
    : g_(g), grad_weight_(std::move(grad_weight)) {
  if (!bf16_backward_fits(g) && winograd_weight_fits(g)) {
    winograd_.emplace(g);
  }
}

std::int64_t ConvWeightGradient::images_together() const {
  return winograd_ ? winograd_->images_together() : 1;
}

void ConvWeightGradient::run(const Tensor& input, const Tensor& grad_y) {
  if (winograd_) {
    winograd_->add(input, grad_y);
    return;
  }
  if (bf16_backward_fits(g_)) {
    bf16_backward_weight(g_, input, grad_y, grad_weight_);
    return;
  }
  // As many images as stay in the second-level caches of all threads once they are padded.
  constexpr std::int64_t kPaddedFloats = 64 << 10;
  const std::int64_t image = g_.padded_h() * g_.padded_w() * g_.c;
  const std::int64_t step = std::max<std::int64_t>(kPaddedFloats * num_threads() / image, 1);
  const std::int64_t n = grad_y.shape().n();
  for (std::int64_t first = 0; first < n; first += step) {
    const std::int64_t count = std::min(step, n - first);
    direct_backward_weight(g_, conv_padded(g_, images(input, first, count)),
                           images(grad_y, first, count), grad_weight_);
  }
}

void ConvWeightGradient::finish() {
  if (winograd_) {
    winograd_->finish(grad_weight_);
  }
}

void conv_backward_bias(const Tensor& grad_y, Tensor& grad_bias) {
  static const auto column_sums = column_sums_kernel();
  const std::int64_t n = grad_y.shape().n();
  const std::int64_t k = grad_y.shape().c();
  const std::int64_t pixels = grad_y.shape().h() * grad_y.shape().w();
  Tensor image_sums({n, k});
  parallel_for(n, [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t image = begin; image < end; ++image) {
      column_sums(grad_y.data() + image * pixels * k, pixels, k, image_sums.data() + image * k);
    }
  });
  for (std::int64_t i = 0; i < k; ++i) {
    double sum = 0;
    for (std::int64_t image = 0; image < n; ++image) {
      sum += static_cast<double>(image_sums.data()[image * k + i]);
    }
    grad_bias.data()[i] += static_cast<float>(sum);
  }
}

ConvDataGradient::ConvDataGradient(const ConvGeometry& g, const Tensor& weight)
    : g_(g), weight_(gather_weight(g, weight)), gather_(gather_of(g)) {
  const bool bf16 = gather_.precision == Precision::kBfloat16;
  if (bf16 || (g.stride == Size2(1) && g.contiguous_rows() && winograd_fits(gather_))) {
    forward_.emplace(gather_, weight_);
  }
}

void ConvDataGradient::run(const Tensor& grad_y, Tensor grad_x) {
  const std::int64_t n = grad_y.shape().n();
  const bool with_padding = g_.mode != PaddingMode::kZeros && g_.has_padding();
  Tensor grad = with_padding ? Tensor({n, g_.padded_h(), g_.padded_w(), g_.c}) : grad_x;
  if (forward_) {
    parallel_for(n * forward_->units_per_image(),
                 [&](std::int64_t begin, std::int64_t end, int thread) {
                   forward_->run({grad_y.data(), nullptr, grad.data()}, begin, end, thread);
                 });
  } else {
    gather_data_gradient(g_, grad_y, weight_, grad);
  }
  if (with_padding) {
    const Tensor inside = unpad(g_, grad);
    std::ranges::copy(inside.values(), grad_x.data());
  }
}

}  // namespace convoy::nn
