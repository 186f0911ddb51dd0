#include "launcher/model_layers.h"

#include <utility>

#include "core/base/check.h"
#include "core/nn/avg_pool2d.h"
#include "core/nn/batch_norm2d.h"
#include "core/nn/conv2d.h"
#include "core/nn/dropout.h"
#include "core/nn/flatten.h"
#include "core/nn/init.h"
#include "core/nn/linear.h"
#include "core/nn/max_pool2d.h"
#include "core/nn/relu.h"
#include "launcher/summary.h"

namespace convoy::launcher {
namespace {

// A field that is absent leaves the option's own default, so defaults are written in core only.
template <typename Values>
nn::Size2 pair_or(const Values& values, nn::Size2 absent) {
  return values.empty() ? absent : nn::Size2(values.Get(0), values.Get(values.size() - 1));
}

nn::Padding padding_of(const v1::Conv2d& from) {
  bool same = false;
  for (const int value : from.padding()) {
    same = same || value == v1::Conv2d::SAME;
  }
  check(!same || from.padding_size() == 1, "padding is SAME and a number: give one of them");
  return same ? nn::Padding::same() : nn::Padding(pair_or(from.padding(), 0));
}

nn::PaddingMode mode_of(v1::Conv2d::PaddingMode mode) {
  switch (mode) {
    case v1::Conv2d::REFLECT:
      return nn::PaddingMode::kReflect;
    case v1::Conv2d::REPLICATE:
      return nn::PaddingMode::kReplicate;
    case v1::Conv2d::CIRCULAR:
      return nn::PaddingMode::kCircular;
    default:
      return nn::PaddingMode::kZeros;
  }
}

Initializer initializer(v1::Layer::Init init, nn::Fan fan) {
  switch (init) {
    case v1::Layer::XAVIER_UNIFORM:
      return nn::xavier_uniform(fan);
    case v1::Layer::XAVIER_NORMAL:
      return nn::xavier_normal(fan);
    case v1::Layer::KAIMING_UNIFORM:
      return nn::kaiming_uniform(fan);
    case v1::Layer::KAIMING_NORMAL:
      return nn::kaiming_normal(fan);
    default:
      return {};  // the layer's own, which is PyTorch's
  }
}

void check_image(const Shape& x) {
  check(x.rank() == 4, "needs an image (channels, height, width), but {} features arrive", x[1]);
}

std::unique_ptr<nn::Module> make(const v1::Conv2d& from, const Shape& x, nn::Precision precision) {
  check_image(x);
  nn::Conv2dOptions to{.in_channels = x.c(),
                       .out_channels = from.out_channels(),
                       .kernel_size = pair_or(from.kernel_size(), 0)};
  to.stride = pair_or(from.stride(), to.stride);
  to.padding = padding_of(from);
  to.dilation = pair_or(from.dilation(), to.dilation);
  to.groups = from.has_groups() ? from.groups() : to.groups;
  to.bias = from.has_bias() ? from.bias() : to.bias;
  to.padding_mode = mode_of(from.padding_mode());
  const std::int64_t window = to.kernel_size.h * to.kernel_size.w;
  to.weight_init = initializer(
      from.init(), {.in = to.in_channels / to.groups * window, .out = to.out_channels * window});
  to.precision = precision;
  return std::make_unique<nn::Conv2d>(std::move(to));
}

std::unique_ptr<nn::Module> make(const v1::Linear& from, const Shape& x, nn::Precision precision) {
  check(x.rank() == 2, "needs features, but an image {} arrives: put a flatten layer before it",
        image_str(x));
  nn::LinearOptions to{.in_features = x[1], .out_features = from.out_features()};
  to.bias = from.has_bias() ? from.bias() : to.bias;
  to.weight_init = initializer(from.init(), {.in = to.in_features, .out = to.out_features});
  to.precision = precision;
  return std::make_unique<nn::Linear>(std::move(to));
}

std::unique_ptr<nn::Module> make(const v1::MaxPool2d& from, const Shape& x) {
  check_image(x);
  nn::MaxPool2dOptions to{.kernel_size = pair_or(from.kernel_size(), 0)};
  to.stride = pair_or(from.stride(), to.kernel_size);
  to.padding = pair_or(from.padding(), to.padding);
  to.dilation = pair_or(from.dilation(), to.dilation);
  to.ceil_mode = from.ceil_mode();
  return std::make_unique<nn::MaxPool2d>(to);
}

std::unique_ptr<nn::Module> make(const v1::AvgPool2d& from, const Shape& x) {
  check_image(x);
  nn::AvgPool2dOptions to{.kernel_size = pair_or(from.kernel_size(), 0)};
  to.stride = pair_or(from.stride(), to.kernel_size);
  to.padding = pair_or(from.padding(), to.padding);
  to.ceil_mode = from.ceil_mode();
  to.count_include_pad =
      from.has_count_include_pad() ? from.count_include_pad() : to.count_include_pad;
  if (from.has_divisor_override()) {
    to.divisor_override = from.divisor_override();
  }
  return std::make_unique<nn::AvgPool2d>(to);
}

std::unique_ptr<nn::Module> make(const v1::BatchNorm2d& from, const Shape& x) {
  check_image(x);
  check(!from.cumulative_average() || !from.has_momentum(),
        "momentum = {} and cumulative_average: give one of them", from.momentum());
  nn::BatchNorm2dOptions to{.num_features = x.c()};
  to.eps = from.has_eps() ? from.eps() : to.eps;
  if (from.cumulative_average()) {
    to.momentum.reset();
  } else if (from.has_momentum()) {
    to.momentum = from.momentum();
  }
  to.affine = from.has_affine() ? from.affine() : to.affine;
  to.track_running_stats =
      from.has_track_running_stats() ? from.track_running_stats() : to.track_running_stats;
  return std::make_unique<nn::BatchNorm2d>(to);
}

std::unique_ptr<nn::Module> make(const v1::Dropout& from, int position) {
  nn::DropoutOptions to{.layer = static_cast<std::uint32_t>(position)};
  to.p = from.has_p() ? from.p() : to.p;
  return std::make_unique<nn::Dropout>(to);
}

}  // namespace

std::unique_ptr<nn::Module> make_layer(const v1::Layer& layer, const Shape& x,
                                       const LayerContext& context) {
  switch (layer.kind_case()) {
    case v1::Layer::kConv2D:
      return make(layer.conv2d(), x, context.precision);
    case v1::Layer::kLinear:
      return make(layer.linear(), x, context.precision);
    case v1::Layer::kMaxPool2D:
      return make(layer.max_pool2d(), x);
    case v1::Layer::kAvgPool2D:
      return make(layer.avg_pool2d(), x);
    case v1::Layer::kBatchNorm2D:
      return make(layer.batch_norm2d(), x);
    case v1::Layer::kRelu:
      return std::make_unique<nn::ReLU>();
    case v1::Layer::kDropout:
      return make(layer.dropout(), context.position);
    case v1::Layer::kFlatten:
      return std::make_unique<nn::Flatten>();
    case v1::Layer::KIND_NOT_SET:
      break;
  }
  fail("has no kind");
}

}  // namespace convoy::launcher
