#include "launcher/summary.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "core/nn/conv2d.h"
#include "core/nn/linear.h"
#include "launcher/format.h"

namespace convoy::launcher {
namespace {

constexpr int kMaxClassesNamed = 12;

std::int64_t trainable_elements(nn::Module& layer) {
  std::int64_t elements = 0;
  for (const NamedParameter& named : layer.named_parameters()) {
    elements += named.parameter->trainable() ? named.parameter->shape().elements() : 0;
  }
  return elements;
}

using Row = std::array<std::string, 5>;

// Columns two spaces apart: names and the rest to the left, numbers to the right.
std::string table(std::span<const Row> rows) {
  std::array<std::size_t, 4> width{};
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < width.size(); ++i) {
      width[i] = std::max(width[i], row[i].size());
    }
  }
  std::string text;
  for (const Row& row : rows) {
    std::string line = fmt::format("{:<{}}  {:<{}}  {:>{}}  {:>{}}  {}", row[0], width[0], row[1],
                                   width[1], row[2], width[2], row[3], width[3], row[4]);
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

}  // namespace

std::string image_str(const Shape& batch) {
  return batch.rank() == 4 ? Shape{batch.c(), batch.h(), batch.w()}.str()
                           : fmt::format("[{}]", batch[1]);
}

double forward_flop(const nn::Module& layer, const Shape& x) {
  if (const auto* conv = dynamic_cast<const nn::Conv2d*>(&layer)) {
    const nn::Conv2dOptions& o = conv->options();
    const std::int64_t inputs = o.in_channels / o.groups * o.kernel_size.h * o.kernel_size.w;
    const Shape y = conv->output_shape(x);
    return 2.0 * static_cast<double>(inputs) * static_cast<double>(y.h() * y.w() * y.c());
  }
  if (const auto* linear = dynamic_cast<const nn::Linear*>(&layer)) {
    const nn::LinearOptions& o = linear->options();
    return 2.0 * static_cast<double>(o.in_features) * static_cast<double>(o.out_features);
  }
  return 0.0;
}

std::string data_summary(const data::Dataset& train, const data::Dataset& test,
                         std::string_view digest) {
  std::string text;
  for (const data::Dataset* half : {&train, &test}) {
    text += fmt::format("{}: {} images {}\n", half->name(), format_count(half->size()),
                        image_str(half->batch_shape(1)));
  }
  const std::vector<std::string>& names = train.class_names();
  const int shown = std::min(train.classes(), kMaxClassesNamed);
  text += fmt::format("{} classes: {}{}\n", train.classes(),
                      fmt::join(names.begin(), names.begin() + shown, ", "),
                      shown < train.classes() ? ", ..." : "");
  return digest.empty() ? text : text + fmt::format("digest {}\n", digest);
}

std::string model_summary(std::string_view name, nn::Sequential& model, const Shape& batch) {
  Shape x{1, batch.h(), batch.w(), batch.c()};
  std::vector<Row> rows = {{"layer", "output", "parameters", "MFLOP", ""}};
  rows.push_back({"(image)", image_str(x), "", "", ""});
  std::int64_t parameters = 0;
  double flop = 0;
  for (const nn::Sequential::Layer& layer : model.layers()) {
    const std::int64_t own = trainable_elements(*layer.module);
    const double cost = forward_flop(*layer.module, x);
    x = layer.module->output_shape(x);
    rows.push_back({layer.name, image_str(x), own == 0 ? "" : format_count(own),
                    cost == 0 ? "" : fmt::format("{:.2f}", cost / 1e6), layer.module->describe()});
    parameters += own;
    flop += cost;
  }
  rows.push_back({"total", "", format_count(parameters), fmt::format("{:.2f}", flop / 1e6),
                  "forward, per image"});
  return fmt::format("model {}\n{}", name, table(rows));
}

}  // namespace convoy::launcher
