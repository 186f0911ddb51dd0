#include "core/nn/linear.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/base/check.h"
#include "core/base/parallel.h"
#include "core/blis/gemm.h"
#include "core/nn/column_sums_kernel.h"
#include "core/nn/init.h"
#include "core/tensor/transpose.h"

namespace convoy::nn {
namespace {

// Of a cache line: threads share out columns (or rows) of the weight in units of this, so that each
// reads its own part of the weight only.
constexpr std::int64_t kLine = 16;

// A part of the weight that forward multiplies at once, so that the whole batch's share of the sum
// passes by while it is in the second-level cache.
constexpr std::int64_t kBlockRows = 512;
constexpr std::int64_t kBlockColumns = 128;

// Calls body(first, count) for each thread's part of [0, size).
template <typename Body>
void share_out(std::int64_t size, const Body& body) {
  parallel_for((size + kLine - 1) / kLine, [&](std::int64_t begin, std::int64_t end, int) {
    body(begin * kLine, std::min(end * kLine, size) - begin * kLine);
  });
}

void contribute_column_sums(const Tensor& grad_y, Parameter& bias) {
  static const auto column_sums = column_sums_kernel();
  const Parameter::GradSum grad = bias.contribute_grad();
  Tensor sums = grad.accumulate ? Tensor(bias.shape()) : grad.sum;
  column_sums(grad_y.data(), grad_y.shape()[0], grad_y.shape()[1], sums.data());
  for (std::int64_t i = 0; grad.accumulate && i < sums.elements(); ++i) {
    grad.sum.data()[i] += sums.data()[i];
  }
}

class LinearNode : public Node {
 public:
  LinearNode(GradSlot input, Tensor x, Parameter& weight, Parameter* bias)
      : input_(input),
        x_(std::move(x)),
        parameters_{&weight, bias},
        parameter_count_(bias == nullptr ? 1 : 2) {}

  std::string_view name() const override { return "Linear"; }
  std::span<Parameter* const> parameters() const override {
    return std::span(parameters_).first(parameter_count_);
  }

  void backward(Tape& tape, Tensor grad_output) override {
    Parameter& weight = *parameters_[0];
    const std::int64_t n = x_.shape()[0];
    const std::int64_t in = weight.shape()[0];
    const std::int64_t out = weight.shape()[1];
    const Parameter::GradSum grad = weight.contribute_grad();
    share_out(in, [&](std::int64_t first, std::int64_t count) {
      blis::gemm(count, out, n, {.data = x_.data() + first, .row_stride = 1, .column_stride = in},
                 {.data = grad_output.data(), .row_stride = out},
                 {.data = grad.sum.data() + first * out, .row_stride = out}, grad.accumulate);
    });
    if (parameter_count_ == 2) {
      contribute_column_sums(grad_output, *parameters_[1]);
    }
    if (input_) {
      tape.add_grad(input_, backward_data(weight.value(), grad_output));
    }
  }

 private:
  // grad x^T = weight grad_y^T: so the large matrix is read as it lies, and only the small ones are
  // transposed.
  static Tensor backward_data(const Tensor& weight, const Tensor& grad_y) {
    const std::int64_t n = grad_y.shape()[0];
    const std::int64_t in = weight.shape()[0];
    const std::int64_t out = weight.shape()[1];
    Tensor grad_y_t({out, n});
    transpose({n, out, grad_y.data(), out, grad_y_t.data(), n});
    Tensor grad_x_t({in, n});
    share_out(in, [&](std::int64_t first, std::int64_t count) {
      blis::gemm(count, n, out, {.data = weight.data() + first * out, .row_stride = out},
                 {.data = grad_y_t.data(), .row_stride = n},
                 {.data = grad_x_t.data() + first * n, .row_stride = n}, false);
    });
    Tensor grad_x({n, in});
    share_out(in, [&](std::int64_t first, std::int64_t count) {
      transpose({count, n, grad_x_t.data() + first * n, n, grad_x.data() + first, in});
    });
    return grad_x;
  }

  GradSlot input_;
  Tensor x_;
  std::array<Parameter*, 2> parameters_;
  std::size_t parameter_count_;
};

LinearOptions checked(LinearOptions options) {
  check(options.in_features >= 1 && options.out_features >= 1,
        "Linear: in_features {} and out_features {} must be at least 1", options.in_features,
        options.out_features);
  return options;
}

}  // namespace

Linear::Linear(LinearOptions options)
    : options_(checked(std::move(options))),
      weight_({.shape = {options_.in_features, options_.out_features},
               .layout = Layout::kLinearWeight,
               .initializer = options_.weight_init ? options_.weight_init
                                                   : kaiming_uniform({.in = options_.in_features,
                                                                      .out = options_.out_features},
                                                                     std::sqrt(5.0))}),
      bias_({.shape = {options_.bias ? options_.out_features : 0},
             .initializer = uniform(1.0 / std::sqrt(static_cast<double>(options_.in_features)))}) {
  register_parameter("weight", weight_);
  if (options_.bias) {
    register_parameter("bias", bias_);
  }
}

Shape Linear::output_shape(const Shape& x) const {
  check(x.rank() == 2 && x[1] == options_.in_features,
        "Linear: the input has shape {}, but (N, {}) is expected{}", torch_order_str(x),
        options_.in_features, x.rank() == 4 ? "; is a Flatten missing?" : "");
  return {x[0], options_.out_features};
}

Variable Linear::forward(Tape& tape, const Variable& x) {
  Tensor y(output_shape(x.shape()));
  share_out(options_.out_features, [&](std::int64_t first, std::int64_t count) {
    forward_columns(x.value(), y, first, count);
  });
  if (!tape.recording()) {
    return y;
  }
  return tape.record(std::move(y), std::make_unique<LinearNode>(x.slot(), x.value(), weight_,
                                                                options_.bias ? &bias_ : nullptr));
}

void Linear::forward_columns(const Tensor& x, Tensor& y, std::int64_t first,
                             std::int64_t count) const {
  const std::int64_t n = x.shape()[0];
  const std::int64_t in = options_.in_features;
  const std::int64_t out = options_.out_features;
  for (std::int64_t row = 0; options_.bias && row < n; ++row) {
    std::copy_n(bias_.value().data() + first, count, y.data() + row * out + first);
  }
  for (std::int64_t k = 0; k < in; k += kBlockRows) {
    for (std::int64_t column = first; column < first + count; column += kBlockColumns) {
      blis::gemm(n, std::min(kBlockColumns, first + count - column), std::min(kBlockRows, in - k),
                 {.data = x.data() + k, .row_stride = in},
                 {.data = weight_.value().data() + k * out + column, .row_stride = out},
                 {.data = y.data() + column, .row_stride = out}, options_.bias || k > 0);
    }
  }
}

std::string Linear::describe() const {
  return fmt::format("Linear(in_features={}, out_features={}, bias={})", options_.in_features,
                     options_.out_features, options_.bias ? "True" : "False");
}

}  // namespace convoy::nn
