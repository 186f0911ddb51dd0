#include "core/nn/linear.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/base/check.h"
#include "core/nn/column_sums_kernel.h"
#include "core/nn/init.h"
#include "core/nn/linear_bf16.h"
#include "core/nn/linear_factors.h"
#include "core/nn/linear_float32.h"
#include "core/nn/share_out.h"
#include "core/tensor/transpose.h"

namespace convoy::nn {
namespace {

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
    backward_weight(tape, weight, grad_output);
    if (parameter_count_ == 2) {
      contribute_column_sums(grad_output, *parameters_[1]);
    }
    if (input_) {
      tape.add_grad(input_, backward_data(weight.value(), grad_output));
    }
  }

 private:
  void backward_weight(const Tape& tape, Parameter& weight, const Tensor& grad_y) const {
    if (precision_ == Precision::kBfloat16) {
      bf16_linear_backward_weight(x_, grad_y, weight.contribute_grad());
      return;
    }
    const std::int64_t in = weight.shape()[0];
    const std::int64_t out = weight.shape()[1];
    const std::int64_t floats = LinearFactors::floats(x_.shape()[0], in, out);
    if (const std::span<float> memory = tape.factor_memory(weight, floats); !memory.empty()) {
      LinearFactors(memory, in, out).assign(x_, grad_y);
    } else {
      float32_linear_backward_weight(x_, grad_y, weight.contribute_grad());
    }
  }

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
        (bf16 ? bf16_linear_backward_data : float32_linear_backward_data)(weight, grad_y_t);
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
  Tensor y = (bf16 ? bf16_linear_forward : float32_linear_forward)(
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
