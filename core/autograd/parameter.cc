#include "core/autograd/parameter.h"

#include <algorithm>
#include <set>
#include <utility>

#include "core/base/check.h"

namespace convoy {
namespace {

constexpr std::int64_t kAlignmentElements = 16;

std::int64_t padded(const Shape& shape) {
  return (shape.elements() + kAlignmentElements - 1) / kAlignmentElements * kAlignmentElements;
}

}  // namespace

Tensor& Parameter::grad() {
  if (!grad_.empty() && std::exchange(grad_is_zero_, false)) {
    grad_.fill(0.0F);
  }
  return grad_;
}

Parameter::GradSum Parameter::contribute_grad() {
  return {.sum = grad_, .accumulate = !std::exchange(grad_is_zero_, false)};
}

ParameterStore::ParameterStore(std::vector<NamedParameter> parameters, std::uint64_t seed) {
  // Not std::ranges: clang 14 cannot compile libstdc++ 12's subrange.
  std::stable_partition(parameters.begin(), parameters.end(),
                        [](const NamedParameter& named) { return named.parameter->trainable(); });
  std::set<std::string> names;
  std::int64_t total = 0;
  std::int64_t trainable = 0;
  for (auto& [name, parameter] : parameters) {
    check(names.insert(name).second, "two parameters are called '{}': give their layers two names",
          name);
    parameter->name_ = name;
    parameter->index_ = static_cast<int>(parameters_.size());
    parameter->offset_ = total;
    total += padded(parameter->shape());
    if (parameter->trainable()) {
      trainable = total;
    }
    parameters_.push_back(parameter);
  }
  all_values_ = Tensor::zeros({total});
  gradients_ = Tensor::zeros({trainable});
  bind();
  for (Parameter* parameter : parameters_) {
    if (parameter->initializer()) {
      RandomSequence random({.seed = seed,
                             .stream = Stream::kInit,
                             .layer = static_cast<std::uint32_t>(parameter->index())});
      parameter->initializer()(parameter->value_, random);
    }
  }
}

void ParameterStore::bind() {
  trainable_values_ = all_values_.slice(0, gradients_.shape());
  for (Parameter* parameter : parameters_) {
    parameter->value_ = all_values_.slice(parameter->offset(), parameter->shape());
    if (parameter->trainable()) {
      parameter->grad_ = gradients_.slice(parameter->offset(), parameter->shape());
    }
  }
}

std::span<float> ParameterStore::gradients() {
  settle_grad();
  return gradients_.values();
}

void ParameterStore::zero_grad() {
  for (Parameter* parameter : parameters_) {
    parameter->grad_is_zero_ = true;
  }
}

void ParameterStore::settle_grad() {
  for (Parameter* parameter : parameters_) {
    parameter->grad();
  }
}

void ParameterStore::use_gradient_memory(Tensor memory) {
  check(memory.elements() == gradients_.elements(), "memory for {} gradients instead of {}",
        memory.elements(), gradients_.elements());
  gradients_ = std::move(memory);
  bind();
}

void ParameterStore::move_to(Tensor all_values, Tensor gradients) {
  const Tensor before = all_values_;
  adopt(std::move(all_values), std::move(gradients));
  std::ranges::copy(before.values(), all_values_.data());
}

void ParameterStore::adopt(Tensor all_values, Tensor gradients) {
  gradients = gradients.empty() ? gradients_ : gradients;
  check(all_values.elements() == all_values_.elements() &&
            gradients.elements() == gradients_.elements(),
        "{} values and {} gradients cannot move to memory for {} and {}", all_values_.elements(),
        gradients_.elements(), all_values.elements(), gradients.elements());
  if (gradients.data() != gradients_.data()) {
    std::ranges::copy(gradients_.values(), gradients.data());
  }
  all_values_ = std::move(all_values);
  gradients_ = std::move(gradients);
  bind();
}

Parameter* ParameterStore::find(const std::string& name) const {
  const auto found = std::ranges::find(parameters_, name, &Parameter::name);
  return found == parameters_.end() ? nullptr : *found;
}

std::int64_t ParameterStore::trainable_elements() const {
  std::int64_t elements = 0;
  for (const Parameter* parameter : parameters_) {
    elements += parameter->trainable() ? parameter->shape().elements() : 0;
  }
  return elements;
}

}  // namespace convoy
