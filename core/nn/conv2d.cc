#include "core/nn/conv2d.h"

#include <array>
#include <cmath>

#include "core/base/check.h"
#include "core/nn/conv2d_compute.h"
#include "core/nn/conv2d_geometry.h"
#include "core/nn/conv2d_pad.h"
#include "core/nn/init.h"

namespace convoy::nn {
namespace {

class Conv2dNode : public Node {
 public:
  Conv2dNode(GradSlot input, const ConvGeometry& geometry, Tensor padded, Parameter& weight,
             Parameter* bias)
      : input_(input),
        geometry_(geometry),
        padded_(std::move(padded)),
        parameters_{&weight, bias},
        parameter_count_(bias == nullptr ? 1 : 2) {}

  std::string_view name() const override { return "Conv2d"; }
  std::span<Parameter* const> parameters() const override {
    return std::span(parameters_).first(parameter_count_);
  }

  void backward(Tape& tape, Tensor grad_output) override {
    conv_backward_weight(geometry_, padded_, grad_output, parameters_[0]->grad());
    if (parameter_count_ == 2) {
      conv_backward_bias(geometry_, grad_output, parameters_[1]->grad());
    }
    if (input_) {
      tape.add_grad(input_, conv_backward_data(geometry_, grad_output, parameters_[0]->value()));
    }
  }

 private:
  GradSlot input_;
  ConvGeometry geometry_;
  Tensor padded_;
  std::array<Parameter*, 2> parameters_;
  std::size_t parameter_count_;
};

// The options, once they are known to be good.
Conv2dOptions checked(Conv2dOptions options) {
  check_options(options);
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
  const ConvGeometry g = geometry(options_, x.shape());
  Tensor padded = pad(g, x.value());
  Tensor y = conv_forward(g, padded, weight_.value(), options_.bias ? bias_.value() : Tensor());
  if (!tape.recording()) {
    return y;
  }
  return tape.record(std::move(y),
                     std::make_unique<Conv2dNode>(x.slot(), g, std::move(padded), weight_,
                                                  options_.bias ? &bias_ : nullptr));
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
  return text + ")";
}

}  // namespace convoy::nn
