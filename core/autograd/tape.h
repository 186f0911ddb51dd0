// Define-by-run autograd: layers record nodes on a Tape while they run forward, and the Tape runs
// the nodes' backward in reverse. The Tape is passed openly, so what is recorded, and whether, is
// visible at every call.
//
//   Tape tape;
//   Variable loss = cross_entropy(tape, model.forward(tape, images), labels).value;
//   tape.backward(loss);            // parameters' grad() now holds the sums
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "core/autograd/parameter.h"
#include "core/tensor/tensor.h"

namespace convoy {

/// Names a gradient within one recording; false if nothing asks for that gradient.
struct GradSlot {
  int index = -1;
  explicit operator bool() const { return index >= 0; }
};

/// A tensor on its way through the model. A constant (made from a Tensor) asks for no gradient.
class Variable {
 public:
  Variable(Tensor value) : value_(std::move(value)) {}  // NOLINT: a tensor is a constant

  const Tensor& value() const { return value_; }
  const Shape& shape() const { return value_.shape(); }
  bool requires_grad() const { return static_cast<bool>(slot_); }
  GradSlot slot() const { return slot_; }

 private:
  friend class Tape;
  Variable(Tensor value, GradSlot slot) : value_(std::move(value)), slot_(slot) {}
  Tensor value_;
  GradSlot slot_;
};

class Tape;

/// One recorded operation. A node holds, as named members, only the tensors its backward needs.
class Node {
 public:
  Node() = default;
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  virtual ~Node() = default;

  /// What it is, for profiles and messages: "Conv2d".
  virtual std::string_view name() const = 0;
  /// Given the gradient of the loss for this node's output, adds its parameters' gradients to
  /// Parameter::grad() and passes its input's to Tape::add_grad. `grad_output` is this node's own
  /// and may be overwritten and passed on. Runs once, then the node is destroyed.
  virtual void backward(Tape& tape, Tensor grad_output) = 0;
  /// Those whose gradient `backward` adds to.
  virtual std::span<Parameter* const> parameters() const { return {}; }

  static void* operator new(std::size_t bytes);
  static void operator delete(void* block, std::size_t bytes) noexcept;
};

/// What a layer may need to know of the step it runs in. All of it is the same for every number of
/// ranks, so that layers compute the same thing.
struct StepContext {
  std::uint64_t seed = 0;
  std::uint64_t step = 0;
  /// Id of each image of this batch within its data set; empty means 0, 1, 2, ...
  std::span<const std::int64_t> samples = {};
  /// Adds up the given sums over all ranks, in place; empty in a single process. Batch norm calls
  /// it, so every rank has to run the same layers.
  std::function<void(std::span<double>)> all_reduce_sum = {};

  std::int64_t sample(std::int64_t row) const {
    return samples.empty() ? row : samples[static_cast<std::size_t>(row)];
  }
};

/// Records one forward pass and runs it backward. Reuse one Tape for all steps: it keeps its
/// memory. Not thread safe; layers parallelise inside.
class Tape {
 public:
  struct Options {
    bool recording = true;  ///< false: forward leaves no trace (PyTorch's no_grad)
    bool training = true;   ///< false: dropout is off, batch norm uses running statistics (eval)
  };

  Tape() : Tape(Options{}) {}
  explicit Tape(Options options) : options_(options) {}
  /// Neither records nor trains.
  static Tape evaluation() { return Tape({.recording = false, .training = false}); }

  bool recording() const { return options_.recording; }
  bool training() const { return options_.training; }

  /// Starts a step: forgets what an unfinished one (an exception, say) left on the tape.
  void begin_step(StepContext context);
  const StepContext& context() const { return context_; }

  /// Called by `backward` when the last recorded user of a parameter has added its gradient; in
  /// reverse order of use. This is what lets communication overlap with backward.
  void set_on_ready(std::function<void(Parameter&)> on_ready) { on_ready_ = std::move(on_ready); }

  /// Asked for by `backward` where a node could leave the gradient of a weight as the two factors
  /// whose product it is, if it is the only contribution since zeroing: gives memory for them
  /// (core/nn/linear_factors.h), or nothing. For whoever makes the product elsewhere: what
  /// Parameter::grad() holds of a gradient that was left so has no meaning.
  using FactorMemory = std::function<std::span<float>(const Parameter&)>;
  void set_factor_memory(FactorMemory memory) { factor_memory_ = std::move(memory); }
  /// For use by nodes, which then leave the factors there, unless it is empty: so it is where there
  /// is no room for so many floats.
  std::span<float> factor_memory(Parameter& parameter, std::int64_t floats) const;

  /// A leaf whose gradient is wanted: `grad` gives it after `backward`.
  Variable watch(Tensor value);

  /// Whether an operation on `x` must be recorded, if it has no parameters of its own.
  bool needs_grad(const Variable& x) const { return options_.recording && x.requires_grad(); }

  /// Puts `node`, whose forward gave `output`, on the tape. REQUIRES: recording().
  Variable record(Tensor output, std::unique_ptr<Node> node);

  /// Adds to the gradient of a recorded variable: the first contribution is kept as it is, later
  /// ones are added into it. A false slot is ignored. For use by nodes; `grad` must share its
  /// elements with no other tensor.
  void add_grad(GradSlot slot, Tensor grad);

  /// Runs everything recorded, last first, and forgets it. `grad_output` defaults to ones. Throws
  /// Error if `root` was not recorded here, in particular on a second backward.
  void backward(const Variable& root, Tensor grad_output = {});

  /// The gradient of a watched leaf after `backward`; empty if none reached it. Valid until the
  /// next `watch` or `record`.
  const Tensor& grad(const Variable& leaf) const;

 private:
  struct Entry {
    std::unique_ptr<Node> node;
    GradSlot output;
  };

  GradSlot new_slot();

  Options options_;
  StepContext context_;
  std::function<void(Parameter&)> on_ready_;
  FactorMemory factor_memory_;
  std::vector<Entry> entries_;
  std::vector<Tensor> grads_;
  std::vector<int> users_;  // by parameter index: recorded nodes that have yet to run backward
  bool finished_ = false;   // backward has run; the next recording starts afresh
};

}  // namespace convoy
