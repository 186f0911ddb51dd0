// The rectifier: y = max(x, 0). https://pytorch.org/docs/1.13/generated/torch.nn.ReLU.html
#pragma once

#include "core/nn/module.h"

namespace convoy::nn {

/// Any shape. Its gradient at 0 is 0, as in PyTorch.
class ReLU : public Module {
 public:
  Variable forward(Tape& tape, const Variable& x) override;
  Shape output_shape(const Shape& x) const override { return x; }
  std::string describe() const override { return "ReLU()"; }
};

}  // namespace convoy::nn
