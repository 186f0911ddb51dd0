#include "tests/parity/models.h"

#include <cmath>

#include "core/nn/avg_pool2d.h"
#include "core/nn/batch_norm2d.h"
#include "core/nn/conv2d.h"
#include "core/nn/dropout.h"
#include "core/nn/flatten.h"
#include "core/nn/linear.h"
#include "core/nn/max_pool2d.h"
#include "core/nn/relu.h"
#include "tests/parity/synthetic.h"
#include "tests/parity/torch_order.h"

namespace convoy::parity {
namespace {

void add_block(nn::Sequential& model, const std::string& name, const nn::Conv2dOptions& conv,
               nn::Size2 pool_padding) {
  model.add(name + ".0", std::make_unique<nn::Conv2d>(conv));
  model.add(name + ".1", std::make_unique<nn::ReLU>());
  model.add(name + ".2", std::make_unique<nn::MaxPool2d>(nn::MaxPool2dOptions{
                             .kernel_size = 2, .stride = 2, .padding = pool_padding}));
  model.add(name + ".3", std::make_unique<nn::Dropout>(nn::DropoutOptions{.p = 0.0}));
}

void add_linear(nn::Sequential& model, const std::string& name, const nn::LinearOptions& options) {
  model.add(name, std::make_unique<nn::Linear>(options));
}

}  // namespace

std::unique_ptr<nn::Sequential> tutorial_model() {
  auto model = std::make_unique<nn::Sequential>();
  const auto conv = [](std::int64_t in_channels, std::int64_t out_channels) {
    return nn::Conv2dOptions{.in_channels = in_channels,
                             .out_channels = out_channels,
                             .kernel_size = 3,
                             .stride = 1,
                             .padding = 1};
  };
  add_block(*model, "layer1", conv(1, 32), /*pool_padding=*/0);
  add_block(*model, "layer2", conv(32, 64), /*pool_padding=*/0);
  add_block(*model, "layer3", conv(64, 128), /*pool_padding=*/1);
  model->add("flatten", std::make_unique<nn::Flatten>());
  add_linear(*model, "fc1", {.in_features = 4 * 4 * 128, .out_features = 625});
  add_linear(*model, "fc2", {.in_features = 625, .out_features = 10});
  return model;
}

std::unique_ptr<nn::Sequential> small_model() {
  auto model = std::make_unique<nn::Sequential>();
  model->add(
      "conv1",
      std::make_unique<nn::Conv2d>(nn::Conv2dOptions{
          .in_channels = 3, .out_channels = 6, .kernel_size = 3, .padding = 1, .bias = false}));
  model->add("norm1", std::make_unique<nn::BatchNorm2d>(nn::BatchNorm2dOptions{.num_features = 6}));
  model->add("relu1", std::make_unique<nn::ReLU>());
  model->add("pool1", std::make_unique<nn::AvgPool2d>(nn::AvgPool2dOptions{.kernel_size = 2}));
  model->add("conv2",
             std::make_unique<nn::Conv2d>(nn::Conv2dOptions{
                 .in_channels = 6, .out_channels = 8, .kernel_size = 3, .stride = 2, .groups = 2}));
  model->add("norm2", std::make_unique<nn::BatchNorm2d>(
                          nn::BatchNorm2dOptions{.num_features = 8, .momentum = 0.3}));
  model->add("relu2", std::make_unique<nn::ReLU>());
  model->add("pool2", std::make_unique<nn::AvgPool2d>(
                          nn::AvgPool2dOptions{.kernel_size = 3, .stride = 1, .padding = 1}));
  model->add("dropout", std::make_unique<nn::Dropout>(nn::DropoutOptions{.p = 0.0}));
  model->add("flatten", std::make_unique<nn::Flatten>());
  add_linear(*model, "fc", {.in_features = 8 * 2 * 3, .out_features = 5});
  return model;
}

void fill(ParameterStore& store) {
  for (std::uint32_t i = 0; Parameter * parameter : store.parameters()) {
    if (!parameter->trainable()) {
      continue;
    }
    const Shape& shape = parameter->shape();
    double centre = 0.0;
    double bound = 0.1;
    if (shape.rank() > 1) {
      const std::int64_t outputs = shape[shape.rank() - 1];  // the last axis in memory
      const std::int64_t inputs = shape.elements() / outputs;
      bound = 1.0 / std::sqrt(static_cast<double>(inputs));
    } else if (parameter->name().ends_with("weight")) {
      centre = 1.0;
    }
    from_torch(parameter->value(),
               uniform(kParameter + i++, shape.elements(), centre - bound, centre + bound),
               parameter->layout());
  }
}

}  // namespace convoy::parity
