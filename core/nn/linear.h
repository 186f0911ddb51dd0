// A fully connected layer. https://pytorch.org/docs/1.13/generated/torch.nn.Linear.html
#pragma once

#include "core/nn/module.h"
#include "core/nn/precision.h"

namespace convoy::nn {

struct LinearOptions {
  std::int64_t in_features = 0;
  std::int64_t out_features = 0;
  bool bias = true;
  /// Of the weight; PyTorch's default if empty: kaiming_uniform with a = sqrt(5). The bias is
  /// uniform in +-1/sqrt(in_features).
  Initializer weight_init = {};
  /// Of its three products: forward, and backward for the input and the weight.
  Precision precision = Precision::kFloat32;
};

/// x (N, in) -> y (N, out) = x weight^T + bias. Parameters: `weight`, PyTorch's (out, in), kept in
/// memory as in,out; `bias` (out).
class Linear : public Module {
 public:
  /// Throws Error unless both feature counts are at least 1, and for a precision
  /// that this CPU does not have.
  explicit Linear(LinearOptions options);

  /// Throws Error unless x is (N, in_features).
  Variable forward(Tape& tape, const Variable& x) override;
  Shape output_shape(const Shape& x) const override;
  std::string describe() const override;

  const LinearOptions& options() const { return options_; }
  Parameter& weight() { return weight_; }
  Parameter& bias() { return bias_; }

 private:
  LinearOptions options_;
  Parameter weight_;
  Parameter bias_;
};

}  // namespace convoy::nn
