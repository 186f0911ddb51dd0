// Dropout (Srivastava et al., JMLR 2014).
// https://pytorch.org/docs/1.13/generated/torch.nn.Dropout.html
#pragma once

#include "core/nn/module.h"

namespace convoy::nn {

struct DropoutOptions {
  double p = 0.5;  ///< the chance of an element to become zero, in [0, 1]
  /// Tells this layer's random numbers from those of the model's other dropout layers.
  std::uint32_t layer = 0;
};

/// On a training tape: zero with probability p, else x / (1 - p). The mask is a function of the
/// tape's (seed, step), the layer, the image's id in its data set and the element's position: not
/// of rank, thread or place in the batch. A dropped NaN stays NaN, as in PyTorch, so that it is not
/// hidden. On an evaluating tape, or for p = 0, x itself. The first axis of x counts images.
class Dropout : public Module {
 public:
  explicit Dropout(DropoutOptions options = {});
  Variable forward(Tape& tape, const Variable& x) override;
  Shape output_shape(const Shape& x) const override { return x; }
  std::string describe() const override;
  const DropoutOptions& options() const { return options_; }

 private:
  DropoutOptions options_;
};

}  // namespace convoy::nn
