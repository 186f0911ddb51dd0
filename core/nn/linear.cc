#include "core/nn/linear.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/base/check.h"
#include "core/blis/gemm.h"
#include "core/nn/column_sums_kernel.h"
#include "core/nn/init.h"
#include "core/nn/linear_bf16.h"
#include "core/nn/share_out.h"
#include "core/nn/spaced_row.h"
#include "core/tensor/transpose.h"

namespace convoy::nn {
namespace {

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
      std::clamp<std::int64_t>(kOutputs / std::max<std::int64_t>(n, 1), 128, 640) / 32 * 32;
  return {.rows = kWeights / columns, .columns = columns};
}

// The three products in float32; linear_bf16.h has the same in bf16.
Tensor linear_forward(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  const std::int64_t n = x.shape()[0];
  const std::int64_t in = weight.shape()[0];
  const std::int64_t out = weight.shape()[1];
  const std::int64_t stride = spaced_row<float>(in);
  Tensor rows({n, stride});
  parallel_for(n, [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t row = begin; row < end; ++row) {
      std::copy_n(x.data() + row * in, in, rows.data() + row * stride);
    }
  });
  const Block block = forward_block(n);
  Tensor y({n, out});
  share_out(out, [&](std::int64_t first, std::int64_t count, int) {
    for (std::int64_t row = 0; !bias.empty() && row < n; ++row) {
      std::copy_n(bias.data() + first, count, y.data() + row * out + first);
    }
    for (std::int64_t k = 0; k < in; k += block.rows) {
      for (std::int64_t column = first; column < first + count; column += block.columns) {
        blis::gemm(n, std::min(block.columns, first + count - column), std::min(block.rows, in - k),
                   {.data = rows.data() + k, .row_stride = stride},
                   {.data = weight.data() + k * out + column, .row_stride = out},
                   {.data = y.data() + column, .row_stride = out}, !bias.empty() || k > 0);
      }
    }
  });
  return y;
}

Tensor linear_backward_data(const Tensor& weight, const Tensor& grad_y_t) {
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

void linear_backward_weight(const Tensor& x, const Tensor& grad_y, const Parameter::GradSum& grad) {
  const std::int64_t n = x.shape()[0];
  const std::int64_t in = x.shape()[1];
  const std::int64_t out = grad_y.shape()[1];
  // Of few images, writing the gradient takes longest: it is done almost row by row. Of many,
  // reading grad_y again for every few rows would.
  const std::int64_t most = n <= 64 ? 28 : 168;
  const std::int64_t stride = spaced_row<float>(n);
  Tensor x_t({in, stride});
  share_out(in, [&](std::int64_t first, std::int64_t count, int) {
    transpose({n, count, x.data() + first, in, x_t.data() + first * stride, stride});
    for (std::int64_t row = first; row < first + count; row += most) {
      blis::gemm(std::min(most, first + count - row), out, n,
                 {.data = x_t.data() + row * stride, .row_stride = stride},
                 {.data = grad_y.data(), .row_stride = out},
                 {.data = grad.sum.data() + row * out, .row_stride = out}, grad.accumulate);
    }
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
  LinearNode(GradSlot input, Tensor x, Parameter& weight, Parameter* bias, Precision precision)
      : input_(input),
        x_(std::move(x)),
        precision_(precision),
        parameters_{&weight, bias},
        parameter_count_(bias == nullptr ? 1 : 2) {}

  std::string_view name() const override { return "Linear"; }
  std::span<Parameter* const> parameters() const override {
    return std::span(parameters_).first(parameter_count_);
  }

  void backward(Tape& tape, Tensor grad_output) override {
    Parameter& weight = *parameters_[0];
    const bool bf16 = precision_ == Precision::kBfloat16;
    (bf16 ? bf16_linear_backward_weight : linear_backward_weight)(x_, grad_output,
                                                                  weight.contribute_grad());
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
  Tensor backward_data(const Tensor& weight, const Tensor& grad_y) const {
    const std::int64_t n = grad_y.shape()[0];
    const std::int64_t in = weight.shape()[0];
    const std::int64_t out = weight.shape()[1];
    Tensor grad_y_t({out, n});
    transpose({n, out, grad_y.data(), out, grad_y_t.data(), n});
    const bool bf16 = precision_ == Precision::kBfloat16;
    const Tensor grad_x_t =
        (bf16 ? bf16_linear_backward_data : linear_backward_data)(weight, grad_y_t);
    Tensor grad_x({n, in});
    share_out(in, [&](std::int64_t first, std::int64_t count, int) {
      transpose({count, n, grad_x_t.data() + first * n, n, grad_x.data() + first, in});
    });
    return grad_x;
  }

  GradSlot input_;
  Tensor x_;
  Precision precision_;
  std::array<Parameter*, 2> parameters_;
  std::size_t parameter_count_;
};

LinearOptions checked(LinearOptions options) {
  check(options.in_features >= 1 && options.out_features >= 1,
        "Linear: in_features {} and out_features {} must be at least 1", options.in_features,
        options.out_features);
  check_precision(options.precision);
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
  output_shape(x.shape());  // refuses another shape
  const bool bf16 = options_.precision == Precision::kBfloat16;
  Tensor y = (bf16 ? bf16_linear_forward : linear_forward)(
      x.value(), weight_.value(), options_.bias ? bias_.value() : Tensor());
  if (!tape.recording()) {
    return y;
  }
  return tape.record(std::move(y), std::make_unique<LinearNode>(x.slot(), x.value(), weight_,
                                                                options_.bias ? &bias_ : nullptr,
                                                                options_.precision));
}

std::string Linear::describe() const {
  return fmt::format("Linear(in_features={}, out_features={}, bias={}{})", options_.in_features,
                     options_.out_features, options_.bias ? "True" : "False",
                     options_.precision == Precision::kBfloat16 ? ", precision=bf16" : "");
}

}  // namespace convoy::nn
