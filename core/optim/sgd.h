// Stochastic gradient descent with momentum (Sutskever et al., ICML 2013), as in PyTorch 1.13.
// https://pytorch.org/docs/1.13/generated/torch.optim.SGD.html
#pragma once

#include "core/optim/optimizer.h"

namespace convoy::optim {

struct SgdOptions {
  double momentum = 0.0;
  double dampening = 0.0;
  double weight_decay = 0.0;
  bool nesterov = false;  ///< needs momentum > 0 and dampening == 0
};

/// In each step, for each value p with gradient g:
///   g += weight_decay * p
///   b = momentum * b + (1 - dampening) * g;  in step 1: b = g
///   p -= lr * (nesterov ? g + momentum * b : b);  without momentum: p -= lr * g
/// Not thread safe; `update` uses all threads. State: `momentum_buffer` (b) if momentum > 0.
class Sgd : public Optimizer {
 public:
  /// For a range of `elements` values, to whose start `update`'s offset refers; may be 0. Throws
  /// Error for options out of their range.
  explicit Sgd(std::int64_t elements, SgdOptions options = {});

  /// Throws Error if the range reaches past the elements, or before the first begin_step.
  void update(std::span<float> values, std::span<const float> gradients, std::int64_t offset,
              const Update& update) override;
  std::vector<State> state() override;
  std::string describe() const override;
  const SgdOptions& options() const { return options_; }

 private:
  SgdOptions options_;
  std::int64_t elements_;
  Tensor momentum_buffer_;
};

}  // namespace convoy::optim
