// What is learned: a Parameter is a named view into the flat buffers of a ParameterStore.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/base/random.h"
#include "core/tensor/tensor.h"

namespace convoy {

/// How a parameter's memory order relates to PyTorch's, for core/io, where the permutation lives.
enum class Layout {
  kPlain,         ///< the same order
  kConvWeight,    ///< memory R,S,C/groups,K; PyTorch K,C/groups,R,S
  kLinearWeight,  ///< memory in,out; PyTorch out,in
};

/// Draws a parameter's first values; `random` is the parameter's own sequence.
using Initializer = std::function<void(Tensor& value, RandomSequence& random)>;

/// A learned tensor (`trainable`) or a buffer (statistics that are saved but not learned). A layer
/// owns its parameters and declares shape, layout and initializer; a ParameterStore then gives them
/// memory. Not copyable: the store, the tape and the optimizer refer to it by address.
class Parameter {
 public:
  struct Options {
    Shape shape = {};  ///< in memory order
    Layout layout = Layout::kPlain;
    Initializer initializer = {};
    bool trainable = true;
    /// Saved as a 64-bit integer, as PyTorch does with counters; exact up to 2^24.
    bool integer = false;
  };

  explicit Parameter(Options options) : options_(std::move(options)) {}
  Parameter(const Parameter&) = delete;
  Parameter& operator=(const Parameter&) = delete;

  const Shape& shape() const { return options_.shape; }
  Layout layout() const { return options_.layout; }
  bool trainable() const { return options_.trainable; }
  bool integer() const { return options_.integer; }
  const Initializer& initializer() const { return options_.initializer; }

  /// The state_dict key, as "layer1.0.weight". Set by the store.
  const std::string& name() const { return name_; }
  /// Position among the store's parameters; also the order of first use in forward.
  int index() const { return index_; }
  /// Where the values, and for a trainable parameter the gradient, begin in the flat buffers.
  std::int64_t offset() const { return offset_; }

  Tensor& value() { return value_; }
  const Tensor& value() const { return value_; }
  /// Sum of gradients since it was last zeroed, to read or to add to. Empty for a buffer.
  Tensor& grad();

  struct GradSum {
    Tensor& sum;
    bool accumulate;
  };
  /// For a node that has a gradient to contribute: it adds that to `sum` if `accumulate`, else,
  /// with the first since zeroing, it overwrites all of it. So nobody needs to clear the memory
  /// before.
  GradSum contribute_grad();
  /// Since it was zeroed nothing has been contributed, and nobody has asked for it.
  bool grad_is_zero() const { return grad_is_zero_; }

 private:
  friend class ParameterStore;
  Options options_;
  std::string name_;
  int index_ = -1;
  std::int64_t offset_ = 0;
  Tensor value_;
  Tensor grad_;
  bool grad_is_zero_ = true;  // whatever its memory holds
};

struct NamedParameter {
  std::string name;
  Parameter* parameter;
};

/// Owns the memory of a model's parameters: one flat buffer of values (trainable ones first, then
/// the buffers) and one of gradients. Every parameter begins at a multiple of 64 bytes; the gaps
/// hold zeros for ever. An optimizer step is one loop, a checkpoint one write.
class ParameterStore {
 public:
  /// Binds and initializes `parameters` from `seed`. They must outlive the store's use of them.
  /// Throws Error if two share a name.
  ParameterStore(std::vector<NamedParameter> parameters, std::uint64_t seed);

  const std::vector<Parameter*>& parameters() const { return parameters_; }
  /// nullptr if there is none of that name.
  Parameter* find(const std::string& name) const;
  /// Elements of the trainable parameters, gaps not counted.
  std::int64_t trainable_elements() const;

  /// All trainable values, gaps included; `gradients()` has the same length and layout.
  std::span<float> values() { return trainable_values_.values(); }
  std::span<const float> values() const { return trainable_values_.values(); }
  std::span<float> gradients();
  /// The same, then the buffers: all that a model consists of.
  std::span<float> all_values() { return all_values_.values(); }
  std::span<const float> all_values() const { return all_values_.values(); }
  std::span<float> buffers() { return all_values().subspan(values().size()); }

  /// Makes all gradients zero at once, but leaves it to the first contribution to overwrite the
  /// memory. Where none comes, zeros are written by Parameter::grad, by Tape::backward for the
  /// parameters it meets, and by `settle_grad` for all: until then a span of gradients that was
  /// taken before shows old values.
  void zero_grad();
  void settle_grad();

  /// Where gradients are summed up.
  const Tensor& gradient_memory() const { return gradients_; }
  /// Gradients are summed up there from now on. Whether what it holds counts is as before: nothing
  /// of it after `zero_grad`. Throws Error unless it has as many elements.
  void use_gradient_memory(Tensor memory);

  /// Moves all values, and the gradients unless that tensor is empty, into memory from elsewhere
  /// (such as other processes see). Spans and copies of tensors taken before keep to the old.
  /// Throws Error unless the tensors have as many elements as the store.
  void move_to(Tensor all_values, Tensor gradients);
  /// The same, but takes the values that are there already and forgets its own.
  void adopt(Tensor all_values, Tensor gradients);

 private:
  void bind();

  std::vector<Parameter*> parameters_;
  Tensor all_values_;
  Tensor trainable_values_;
  Tensor gradients_;
};

}  // namespace convoy
