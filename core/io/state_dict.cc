#include "core/io/state_dict.h"

#include <algorithm>
#include <vector>

#include "core/base/check.h"
#include "core/base/nearest.h"
#include "core/base/printable.h"

namespace convoy::io {
namespace {

// Elements in memory that belong to a name: a parameter's values, or optimizer state of its shape.
// Element is const float where they are only read.
template <typename Element>
struct Slot {
  std::string name;
  const Parameter* parameter;
  Element* elements;
};
template <typename Element>
using Slots = std::vector<Slot<Element>>;

// Three extents whose reversal is the exchange of orders: a convolution's weight lies as (RS, C, K)
// in memory and as (K, C, RS) in PyTorch, a linear layer's as (in, 1, out) and (out, 1, in).
struct Extents {
  std::int64_t a;
  std::int64_t b;
  std::int64_t c;
};

Extents extents_in_memory(const Parameter& parameter) {
  const Shape& shape = parameter.shape();
  switch (parameter.layout()) {
    case Layout::kConvWeight:
      return {shape[0] * shape[1], shape[2], shape[3]};
    case Layout::kLinearWeight:
      return {shape[0], 1, shape[1]};
    case Layout::kPlain:
      break;
  }
  return {1, 1, shape.elements()};
}

// Elements of (C, B, A), from `first` on, of what lies as `from` (A, B, C).
void reverse_axes(const float* from, const Extents& extents, std::int64_t first,
                  std::span<float> to) {
  const auto [a, b, c] = extents;
  std::int64_t i = first % a;
  std::int64_t j = first / a % b;
  std::int64_t k = first / a / b;
  for (float& element : to) {
    element = from[(i * b + j) * c + k];
    if (++i == a) {
      i = 0;
      if (++j == b) {
        j = 0;
        ++k;
      }
    }
  }
}

// `all_values`: of the store, or as long.
template <typename Element>
Slots<Element> slots_of(const ParameterStore& store, std::span<Element> all_values) {
  Slots<Element> slots;
  for (const Parameter* parameter : store.parameters()) {
    slots.push_back({parameter->name(), parameter, all_values.data() + parameter->offset()});
  }
  return slots;
}

Slots<float> slots_of(const ParameterStore& store, std::span<const optim::Optimizer::State> state) {
  Slots<float> slots;
  for (const auto& [name, shared] : state) {
    Tensor values = shared;
    check(values.values().size() == store.values().size(),
          "the optimizer's {} has {} elements, but the parameters have {}: gather the parts first",
          name, values.elements(), store.values().size());
    for (const Parameter* parameter : store.parameters()) {
      if (parameter->trainable()) {
        slots.push_back(
            {parameter->name() + "." + name, parameter, values.data() + parameter->offset()});
      }
    }
  }
  return slots;
}

template <typename Element>
TensorSources to_sources(const Slots<Element>& slots) {
  TensorSources sources;
  for (const Slot<Element>& slot : slots) {
    const Parameter& parameter = *slot.parameter;
    sources[slot.name] = {
        .shape = torch_shape(parameter),
        .dtype = parameter.integer() ? Dtype::kI64 : Dtype::kF32,
        .read = [elements = slot.elements, extents = extents_in_memory(parameter)](
                    std::int64_t first, std::span<float> out) {
          reverse_axes(elements, extents, first, out);
        }};
  }
  return sources;
}

StateDict to_dict(const TensorSources& sources) {
  StateDict dict;
  for (const auto& [name, source] : sources) {
    Tensor values(source.shape);
    source.read(0, values.values());
    dict[name] = {values, source.dtype};
  }
  return dict;
}

// One line for each of `names`, with the nearest of `others`; beyond ten a count.
void list_names(std::string& text, std::string_view what, const std::vector<std::string>& names,
                const std::vector<std::string>& others) {
  constexpr std::size_t kMaxListed = 10;
  constexpr std::size_t kMaxCompared = 1000;
  const std::size_t listed = std::min(names.size(), kMaxListed);
  const auto compared = std::span(others).first(std::min(others.size(), kMaxCompared));
  for (std::size_t i = 0; i < listed; ++i) {
    text +=
        fmt::format("\n  {}: {}{}", what, printable(names[i]), did_you_mean(names[i], compared));
  }
  if (listed < names.size()) {
    text += fmt::format("\n  {}: {} more", what, names.size() - listed);
  }
}

void check_fits(const Slots<float>& slots, const StateDict& dict, std::string_view source) {
  std::vector<std::string> missing;
  std::string shapes;
  std::map<std::string_view, const Slot<float>*> wanted;
  for (const Slot<float>& slot : slots) {
    wanted[slot.name] = &slot;
    const auto found = dict.find(slot.name);
    if (found == dict.end()) {
      missing.push_back(slot.name);
    } else if (const Shape& given = found->second.values.shape();
               given != torch_shape(*slot.parameter)) {
      shapes += fmt::format("\n  {}: the file has {}, the model needs {}", slot.name, given.str(),
                            torch_shape(*slot.parameter).str());
    }
  }
  std::vector<std::string> unexpected;
  for (const auto& [name, tensor] : dict) {
    if (!wanted.contains(name)) {
      unexpected.push_back(name);
    }
  }
  std::string text;
  list_names(text, "missing", missing, unexpected);
  list_names(text, "unexpected", unexpected, missing);
  text += shapes;
  check(text.empty(), "{} does not fit this model; nothing was loaded.{}", source, text);
}

void from_dict(const Slots<float>& slots, const StateDict& dict, std::string_view source) {
  check_fits(slots, dict, source);
  for (const Slot<float>& slot : slots) {
    const auto [a, b, c] = extents_in_memory(*slot.parameter);
    const auto elements = static_cast<std::size_t>(slot.parameter->shape().elements());
    reverse_axes(dict.at(slot.name).values.data(), {c, b, a}, 0, {slot.elements, elements});
  }
}

}  // namespace

Shape torch_shape(const Parameter& parameter) {
  const Shape& shape = parameter.shape();
  switch (parameter.layout()) {
    case Layout::kConvWeight:
      return {shape[3], shape[2], shape[0], shape[1]};
    case Layout::kLinearWeight:
      return {shape[1], shape[0]};
    case Layout::kPlain:
      break;
  }
  return shape;
}

StateDict state_dict(const ParameterStore& store) {
  return to_dict(state_sources(store, store.all_values()));
}

TensorSources state_sources(const ParameterStore& store, std::span<const float> all_values) {
  check(all_values.size() == store.all_values().size(), "{} values of a model that has {}",
        all_values.size(), store.all_values().size());
  return to_sources(slots_of(store, all_values));
}

void load_state_dict(ParameterStore& store, const StateDict& dict, std::string_view source) {
  from_dict(slots_of(store, store.all_values()), dict, source);
}

void save_state_dict(const ParameterStore& store, const std::filesystem::path& path,
                     std::map<std::string, std::string> metadata) {
  metadata.try_emplace("format", "pt");
  write_safetensors(path, {state_sources(store, store.all_values()), std::move(metadata)});
}

void load_state_dict(ParameterStore& store, const std::filesystem::path& path) {
  load_state_dict(store, read_safetensors(path).tensors, path.string());
}

StateDict optimizer_state_dict(const ParameterStore& store,
                               std::span<const optim::Optimizer::State> state) {
  return to_dict(optimizer_state_sources(store, state));
}

TensorSources optimizer_state_sources(const ParameterStore& store,
                                      std::span<const optim::Optimizer::State> state) {
  return to_sources(slots_of(store, state));
}

void load_optimizer_state_dict(const ParameterStore& store,
                               std::span<const optim::Optimizer::State> state,
                               const StateDict& dict, std::string_view source) {
  from_dict(slots_of(store, state), dict, source);
}

}  // namespace convoy::io
