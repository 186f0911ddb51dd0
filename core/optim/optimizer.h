// How parameters learn from gradients.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/tensor/tensor.h"

namespace convoy::optim {

/// Works on flat spans, so it sees neither layers nor names: a whole ParameterStore, a bucket that
/// has just been reduced, or the part that one rank owns are all the same to it.
///
///   optimizer.begin_step();
///   optimizer.update(store.values(), store.gradients(), /*offset=*/0, {.lr = 1e-3});
class Optimizer {
 public:
  struct Update {
    double lr = 1e-3;
    /// Gradients are multiplied by this as they are read: 1 / (images of the global batch), times
    /// the clipping factor. So sums need no pass of their own to become means.
    double gradient_scale = 1.0;
  };

  /// A named part of the optimizer's state, one number per parameter element: "exp_avg".
  struct State {
    std::string name;
    Tensor values;
  };

  virtual ~Optimizer() = default;

  /// Advances the step count that `update` uses.
  void begin_step() { ++step_; }
  std::int64_t step() const { return step_; }
  void set_step(std::int64_t step) { step_ = step; }

  /// Updates `values` (elements `offset` .. of the flat buffer) from their `gradients`. Each
  /// element is to be updated once a step; how the buffer is cut makes no difference to the result.
  virtual void update(std::span<float> values, std::span<const float> gradients,
                      std::int64_t offset, const Update& update) = 0;

  /// For checkpoints: tensors to save and to load into, in a fixed order.
  virtual std::vector<State> state() = 0;

  /// "Adam(betas=(0.9, 0.999), eps=1e-08, weight_decay=0)"
  virtual std::string describe() const = 0;

 private:
  std::int64_t step_ = 0;
};

}  // namespace convoy::optim
