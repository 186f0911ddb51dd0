// Parameters as PyTorch's state_dict: its names, and the one place where memory order and PyTorch's
// order are exchanged (which parameter needs what: Layout in core/autograd/parameter.h).
//
//   save_state_dict(store, "model.safetensors");
//   load_state_dict(store, "model.safetensors");
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "core/autograd/parameter.h"
#include "core/io/safetensors.h"
#include "core/optim/optimizer.h"

namespace convoy::io {

/// Tensors by name, in PyTorch's order; each owns its elements.
using StateDict = std::map<std::string, StoredTensor>;
using TensorSources = std::map<std::string, TensorSource>;

/// The parameter's extents in PyTorch's order: [K, C/groups, R, S] for a convolution's weight,
/// [out, in] for a linear layer's.
Shape torch_shape(const Parameter& parameter);

/// All parameters and buffers; integer buffers are stored as I64.
StateDict state_dict(const ParameterStore& store);
/// The same to be written from where they lie, in `all_values`: the store's, or a copy of them, so
/// that another thread may write while training goes on. Borrows both. Throws Error unless there
/// are as many.
TensorSources state_sources(const ParameterStore& store, std::span<const float> all_values);

/// Sets all parameters and buffers. The names must be exactly those of the store. Whatever is wrong
/// is listed in one Error (names missing or unexpected, each with the nearest name on the other
/// side; both shapes, in PyTorch's order) and then nothing is changed. `source` is for messages.
void load_state_dict(ParameterStore& store, const StateDict& dict, std::string_view source);

/// Writes atomically. PyTorch's readers want the metadata "format": "pt", which is added.
void save_state_dict(const ParameterStore& store, const std::filesystem::path& path,
                     std::map<std::string, std::string> metadata = {});
void load_state_dict(ParameterStore& store, const std::filesystem::path& path);

/// An optimizer's state for all of the store's values (Optimizer::state(), or a copy of it): for
/// each trainable parameter "layer1.0.weight.exp_avg" and so on, in PyTorch's order. The step count
/// is not in it. Throws Error if a part has another number of values.
StateDict optimizer_state_dict(const ParameterStore& store,
                               std::span<const optim::Optimizer::State> state);
/// The same to be written from where it lies. Borrows both.
TensorSources optimizer_state_sources(const ParameterStore& store,
                                      std::span<const optim::Optimizer::State> state);
/// Sets the tensors of `state`, all or nothing, as load_state_dict.
void load_optimizer_state_dict(const ParameterStore& store,
                               std::span<const optim::Optimizer::State> state,
                               const StateDict& dict, std::string_view source);

}  // namespace convoy::io
