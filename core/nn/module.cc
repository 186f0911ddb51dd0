#include "core/nn/module.h"

namespace convoy::nn {

Variable Module::forward_through(Tape& tape, const Variable& x, std::span<Module* const>&) {
  return forward(tape, x);
}

std::vector<NamedParameter> Module::named_parameters(const std::string& prefix) {
  std::vector<NamedParameter> all;
  for (const Child& child : children_) {
    const std::string name =
        prefix.empty() || child.name.empty() ? prefix + child.name : prefix + "." + child.name;
    if (child.parameter != nullptr) {
      all.push_back({name, child.parameter});
    } else {
      const std::vector<NamedParameter> inner = child.module->named_parameters(name);
      all.insert(all.end(), inner.begin(), inner.end());
    }
  }
  return all;
}

void Module::register_parameter(std::string name, Parameter& parameter) {
  children_.push_back({std::move(name), &parameter, nullptr});
}

void Module::register_module(std::string name, Module& module) {
  children_.push_back({std::move(name), nullptr, &module});
}

}  // namespace convoy::nn
