#include "core/nn/sequential.h"

#include <algorithm>

#include "core/base/check.h"

namespace convoy::nn {

void Sequential::add(std::string name, std::unique_ptr<Module> module) {
  check(std::ranges::find(layers_, name, &Layer::name) == layers_.end(),
        "two layers are called '{}'", name);
  register_module(name, *module);
  modules_.push_back(module.get());
  layers_.push_back({std::move(name), std::move(module)});
}

Variable Sequential::forward(Tape& tape, const Variable& x) {
  Variable y = x;
  std::span<Module* const> rest = modules_;
  while (!rest.empty()) {
    Module& module = *rest.front();
    rest = rest.subspan(1);
    y = module.forward_through(tape, y, rest);
  }
  return y;
}

Shape Sequential::output_shape(const Shape& x) const {
  Shape y = x;
  for (const Layer& layer : layers_) {
    y = layer.module->output_shape(y);
  }
  return y;
}

std::string Sequential::describe() const {
  std::string text = "Sequential(\n";
  for (const Layer& layer : layers_) {
    text += fmt::format("  ({}): {}\n", layer.name, layer.module->describe());
  }
  return text + ")";
}

}  // namespace convoy::nn
