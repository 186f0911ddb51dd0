// From images to rows of features. https://pytorch.org/docs/1.13/generated/torch.nn.Flatten.html
#pragma once

#include "core/nn/module.h"

namespace convoy::nn {

/// x (N, H, W, C) -> y (N, C*H*W), the features in PyTorch's order C,H,W, so that the weights of
/// the Linear that follows mean the same in both. A 2-D x passes as it is.
class Flatten : public Module {
 public:
  Variable forward(Tape& tape, const Variable& x) override;
  Shape output_shape(const Shape& x) const override;
  std::string describe() const override { return "Flatten(start_dim=1, end_dim=-1)"; }
};

}  // namespace convoy::nn
