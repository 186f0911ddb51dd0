#include "tests/parity/make_layer.h"

#include <map>
#include <optional>
#include <stdexcept>

#include "core/nn/avg_pool2d.h"
#include "core/nn/batch_norm2d.h"
#include "core/nn/conv2d.h"
#include "core/nn/dropout.h"
#include "core/nn/flatten.h"
#include "core/nn/linear.h"
#include "core/nn/max_pool2d.h"
#include "core/nn/relu.h"

namespace convoy::parity {
namespace {

using nn::Padding;
using nn::PaddingMode;
using nn::Size2;

template <typename T>
T convert(const Json& value) {
  return value.get<T>();
}

template <>
Size2 convert(const Json& value) {
  return value.is_array() ? Size2(value[0], value[1]) : Size2(value.get<std::int64_t>());
}

template <>
Padding convert(const Json& value) {
  if (value.is_string()) {
    return value == "same" ? Padding::same() : Padding::valid();
  }
  return convert<Size2>(value);
}

template <>
PaddingMode convert(const Json& value) {
  static const std::map<std::string, PaddingMode> modes = {{"zeros", PaddingMode::kZeros},
                                                           {"reflect", PaddingMode::kReflect},
                                                           {"replicate", PaddingMode::kReplicate},
                                                           {"circular", PaddingMode::kCircular}};
  return modes.at(value);
}

// Sets members of an options struct from JSON members of the same name.
class Reader {
 public:
  explicit Reader(const Json& json) : json_(json) {}

  template <typename T>
  Reader& read(const char* name, T& member) {
    if (const auto found = json_.find(name); found != json_.end()) {
      member = convert<T>(*found);
      ++used_;
    }
    return *this;
  }

  template <typename T>
  Reader& read(const char* name, std::optional<T>& member) {
    if (const auto found = json_.find(name); found != json_.end()) {
      member = found->is_null() ? std::nullopt : std::optional(convert<T>(*found));
      ++used_;
    }
    return *this;
  }

  // An option that nothing reads is a hole in the test; not an Error, which would look like a
  // refusal.
  void finish() const {
    if (used_ != json_.size()) {
      throw std::logic_error("make_layer does not know all of " + json_.dump());
    }
  }

 private:
  const Json& json_;
  std::size_t used_ = 0;
};

void read(Reader reader, nn::Conv2dOptions& options) {
  reader.read("in_channels", options.in_channels)
      .read("out_channels", options.out_channels)
      .read("kernel_size", options.kernel_size)
      .read("stride", options.stride)
      .read("padding", options.padding)
      .read("dilation", options.dilation)
      .read("groups", options.groups)
      .read("bias", options.bias)
      .read("padding_mode", options.padding_mode)
      .finish();
}

void read(Reader reader, nn::LinearOptions& options) {
  reader.read("in_features", options.in_features)
      .read("out_features", options.out_features)
      .read("bias", options.bias)
      .finish();
}

void read(Reader reader, nn::MaxPool2dOptions& options) {
  reader.read("kernel_size", options.kernel_size)
      .read("stride", options.stride)
      .read("padding", options.padding)
      .read("dilation", options.dilation)
      .read("ceil_mode", options.ceil_mode)
      .finish();
}

void read(Reader reader, nn::AvgPool2dOptions& options) {
  reader.read("kernel_size", options.kernel_size)
      .read("stride", options.stride)
      .read("padding", options.padding)
      .read("ceil_mode", options.ceil_mode)
      .read("count_include_pad", options.count_include_pad)
      .read("divisor_override", options.divisor_override)
      .finish();
}

void read(Reader reader, nn::BatchNorm2dOptions& options) {
  reader.read("num_features", options.num_features)
      .read("eps", options.eps)
      .read("momentum", options.momentum)
      .read("affine", options.affine)
      .read("track_running_stats", options.track_running_stats)
      .finish();
}

void read(Reader reader, nn::DropoutOptions& options) {
  reader.read("p", options.p).finish();
}

template <typename Layer, typename Options>
std::unique_ptr<nn::Module> make(const Json& json) {
  Options options;
  read(Reader(json), options);
  return std::make_unique<Layer>(options);
}

template <typename Layer>
std::unique_ptr<nn::Module> make_plain(const Json& json) {
  Reader(json).finish();
  return std::make_unique<Layer>();
}

}  // namespace

std::unique_ptr<nn::Module> make_layer(const std::string& kind, const Json& options) {
  static const std::map<std::string, std::unique_ptr<nn::Module> (*)(const Json&)> makers = {
      {"AvgPool2d", make<nn::AvgPool2d, nn::AvgPool2dOptions>},
      {"BatchNorm2d", make<nn::BatchNorm2d, nn::BatchNorm2dOptions>},
      {"Conv2d", make<nn::Conv2d, nn::Conv2dOptions>},
      {"Dropout", make<nn::Dropout, nn::DropoutOptions>},
      {"Flatten", make_plain<nn::Flatten>},
      {"Linear", make<nn::Linear, nn::LinearOptions>},
      {"MaxPool2d", make<nn::MaxPool2d, nn::MaxPool2dOptions>},
      {"ReLU", make_plain<nn::ReLU>}};
  return makers.at(kind)(options);
}

}  // namespace convoy::parity
