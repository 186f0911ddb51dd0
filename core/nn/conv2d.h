// 2-D convolution (cross-correlation, as everywhere in the field).
// https://pytorch.org/docs/1.13/generated/torch.nn.Conv2d.html
#pragma once

#include "core/nn/module.h"
#include "core/nn/precision.h"
#include "core/nn/size2.h"

namespace convoy::nn {

enum class PaddingMode { kZeros, kReflect, kReplicate, kCircular };

/// Rows and columns added on every side, or "same" (the output has the input's size; stride must be
/// 1) or "valid" (none).
struct Padding {
  enum class Kind { kExplicit, kSame, kValid };
  Kind kind = Kind::kExplicit;
  Size2 size = 0;

  constexpr Padding(std::int64_t both) : size(both) {}  // NOLINT: an int is a padding
  constexpr Padding(Size2 both) : size(both) {}         // NOLINT: and so is a pair
  constexpr Padding(std::int64_t height, std::int64_t width) : size(height, width) {}
  static constexpr Padding same() { return Padding(Kind::kSame); }
  static constexpr Padding valid() { return Padding(Kind::kValid); }

 private:
  constexpr explicit Padding(Kind named) : kind(named), size(0) {}
};

/// Names and defaults are PyTorch's. `in_channels`, `out_channels` and `kernel_size` must be given.
struct Conv2dOptions {
  std::int64_t in_channels = 0;
  std::int64_t out_channels = 0;
  Size2 kernel_size = 0;
  Size2 stride = 1;
  Padding padding = 0;
  Size2 dilation = 1;
  std::int64_t groups = 1;
  bool bias = true;
  PaddingMode padding_mode = PaddingMode::kZeros;
  /// Of the weight; PyTorch's default if empty: kaiming_uniform with a = sqrt(5). The bias is
  /// uniform in +-1/sqrt(fan_in).
  Initializer weight_init = {};
  /// Of the forward pass. A convolution that bf16 is not for (conv2d_bf16.h) keeps to float32, and
  /// so does backward.
  Precision precision = Precision::kFloat32;
};

/// x (N, H, W, C) -> y (N, P, Q, K):
///   y[n,p,q,k] = bias[k] + sum_{r,s,c} weight[k,c,r,s] * padded x[n, p*stride + r*dilation, ...,
///   c] P = floor((H + padding_total - dilation*(R-1) - 1) / stride) + 1, and Q alike.
/// "same" puts the odd row or column at the bottom or right. Parameters: `weight`, PyTorch's
/// (K, C/groups, R, S), kept in memory as R,S,C/groups,K; `bias` (K).
class Conv2d : public Module {
 public:
  /// Throws Error for what torch.nn.Conv2d refuses, with the numbers.
  explicit Conv2d(Conv2dOptions options);

  /// Throws Error for another number of channels, an empty output, or a reflect or circular padding
  /// wider than the image allows.
  Variable forward(Tape& tape, const Variable& x) override;
  /// Takes over a ReLU, a MaxPool2d without dilation, or the one before the other.
  Variable forward_through(Tape& tape, const Variable& x, std::span<Module* const>& rest) override;
  Shape output_shape(const Shape& x) const override;
  std::string describe() const override;

  const Conv2dOptions& options() const { return options_; }
  Parameter& weight() { return weight_; }
  Parameter& bias() { return bias_; }

 private:
  Conv2dOptions options_;
  Parameter weight_;
  Parameter bias_;
};

}  // namespace convoy::nn
