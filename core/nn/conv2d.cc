#include "core/nn/conv2d.h"

#include <array>
#include <cmath>

#include "core/base/check.h"
#include "core/nn/conv2d_bf16.h"
#include "core/nn/conv2d_compute.h"
#include "core/nn/conv2d_geometry.h"
#include "core/nn/conv2d_passes.h"
#include "core/nn/init.h"
#include "core/nn/max_pool2d.h"
#include "core/nn/relu.h"

namespace convoy::nn {
namespace {

class Conv2dNode : public Node {
 public:
  struct Operation {
    ConvGeometry geometry;
    ConvEpilogue epilogue;
    Tensor input;
    ConvOutput output;
  };

  Conv2dNode(GradSlot x, Operation operation, Parameter& weight, Parameter* bias)
      : x_(x),
        operation_(std::move(operation)),
        parameters_{&weight, bias},
        parameter_count_(bias == nullptr ? 1 : 2) {
    if (!operation_.epilogue.relu) {
      operation_.output.y = {};
    }
  }

  std::string_view name() const override {
    const ConvEpilogue& epilogue = operation_.epilogue;
    return epilogue.pool   ? epilogue.relu ? "Conv2d+ReLU+MaxPool2d" : "Conv2d+MaxPool2d"
           : epilogue.relu ? "Conv2d+ReLU"
                           : "Conv2d";
  }
  std::span<Parameter* const> parameters() const override {
    return std::span(parameters_).first(parameter_count_);
  }

  void backward(Tape& tape, Tensor grad_output) override {
    const ConvGeometry& g = operation_.geometry;
    Parameter& weight = *parameters_[0];
    Tensor* bias = parameter_count_ == 2 ? &parameters_[1]->grad() : nullptr;
    Tensor grad_x = x_ ? Tensor({g.n, g.h, g.w, g.c}) : Tensor();
    conv_backward(g, {operation_.input, weight.value(), {}}, operation_.epilogue, operation_.output,
                  std::move(grad_output), {weight.grad(), bias, x_ ? &grad_x : nullptr});
    tape.add_grad(x_, std::move(grad_x));
  }

 private:
  GradSlot x_;
  Operation operation_;
  std::array<Parameter*, 2> parameters_;
  std::size_t parameter_count_;
};

// What the convolution can do of the layers after it, which it drops from `rest`.
ConvEpilogue take_over(const ConvGeometry& g, std::span<Module* const>& rest) {
  ConvEpilogue epilogue;
  if (!rest.empty() && dynamic_cast<const ReLU*>(rest.front()) != nullptr) {
    epilogue.relu = true;
    rest = rest.subspan(1);
  }
  const auto* pool = rest.empty() ? nullptr : dynamic_cast<const MaxPool2d*>(rest.front());
  if (pool != nullptr && pool->options().dilation == Size2(1)) {
    epilogue.pool = pool->geometry({g.n, g.p, g.q, g.k});
    rest = rest.subspan(1);
  }
  return epilogue;
}

// The options, once they are known to be good, with the precision there is.
Conv2dOptions checked(Conv2dOptions options) {
  check_options(options);
  if (!bf16_fits(options)) {
    options.precision = Precision::kFloat32;
  }
  return options;
}

Parameter::Options weight_options(const Conv2dOptions& o) {
  const std::int64_t taps = o.kernel_size.h * o.kernel_size.w;
  const Fan fan{.in = o.in_channels / o.groups * taps, .out = o.out_channels * taps};
  return {.shape = {o.kernel_size.h, o.kernel_size.w, o.in_channels / o.groups, o.out_channels},
          .layout = Layout::kConvWeight,
          .initializer = o.weight_init ? o.weight_init : kaiming_uniform(fan, std::sqrt(5.0))};
}

Parameter::Options bias_options(const Conv2dOptions& o) {
  const std::int64_t fan_in = o.in_channels / o.groups * o.kernel_size.h * o.kernel_size.w;
  return {.shape = {o.bias ? o.out_channels : 0},
          .initializer = uniform(1.0 / std::sqrt(static_cast<double>(fan_in)))};
}

}  // namespace

Conv2d::Conv2d(Conv2dOptions options)
    : options_(checked(std::move(options))),
      weight_(weight_options(options_)),
      bias_(bias_options(options_)) {
  register_parameter("weight", weight_);
  if (options_.bias) {
    register_parameter("bias", bias_);
  }
}

Shape Conv2d::output_shape(const Shape& x) const {
  const ConvGeometry g = geometry(options_, x);
  return {g.n, g.p, g.q, g.k};
}

Variable Conv2d::forward(Tape& tape, const Variable& x) {
  std::span<Module* const> rest;
  return forward_through(tape, x, rest);
}

Variable Conv2d::forward_through(Tape& tape, const Variable& x, std::span<Module* const>& rest) {
  const ConvGeometry g = geometry(options_, x.shape());
  const ConvEpilogue epilogue = take_over(g, rest);
  Tensor input = conv_input(g, x.value());
  ConvOutput output =
      conv_forward(g, {input, weight_.value(), options_.bias ? bias_.value() : Tensor()}, epilogue,
                   tape.recording());
  if (!tape.recording()) {
    return std::move(output.y);
  }
  Tensor y = output.y;
  return tape.record(
      std::move(y),
      std::make_unique<Conv2dNode>(
          x.slot(), Conv2dNode::Operation{g, epilogue, std::move(input), std::move(output)},
          weight_, options_.bias ? &bias_ : nullptr));
}

std::string Conv2d::describe() const {
  const Conv2dOptions& o = options_;
  std::string text = fmt::format("Conv2d({}, {}, kernel_size={}, stride={}", o.in_channels,
                                 o.out_channels, o.kernel_size.str(), o.stride.str());
  if (o.padding.kind != Padding::Kind::kExplicit) {
    text += o.padding.kind == Padding::Kind::kSame ? ", padding=same" : ", padding=valid";
  } else if (o.padding.size != Size2(0)) {
    text += fmt::format(", padding={}", o.padding.size.str());
  }
  if (o.dilation != Size2(1)) {
    text += fmt::format(", dilation={}", o.dilation.str());
  }
  if (o.groups != 1) {
    text += fmt::format(", groups={}", o.groups);
  }
  if (!o.bias) {
    text += ", bias=False";
  }
  constexpr std::array kModes = {"zeros", "reflect", "replicate", "circular"};
  if (o.padding_mode != PaddingMode::kZeros) {
    text += fmt::format(", padding_mode={}", kModes.at(static_cast<std::size_t>(o.padding_mode)));
  }
  if (o.precision == Precision::kBfloat16) {
    text += ", precision=bf16";
  }
  return text + ")";
}

}  // namespace convoy::nn
