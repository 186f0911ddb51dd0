// The mean under a window. https://pytorch.org/docs/1.13/generated/torch.nn.AvgPool2d.html
#pragma once

#include <optional>

#include "core/nn/module.h"
#include "core/nn/size2.h"

namespace convoy::nn {

struct AvgPool2dOptions {
  Size2 kernel_size = 0;
  std::optional<Size2> stride = {};  ///< kernel_size if not given
  Size2 padding = 0;                 ///< zeros; at most half the kernel
  bool ceil_mode = false;
  bool count_include_pad = true;
  std::optional<std::int64_t> divisor_override = {};
};

/// x (N, H, W, C) -> y (N, P, Q, C), with torch.nn.AvgPool2d's sizes and divisors.
class AvgPool2d : public Module {
 public:
  explicit AvgPool2d(AvgPool2dOptions options);
  Variable forward(Tape& tape, const Variable& x) override;
  Shape output_shape(const Shape& x) const override;
  std::string describe() const override;
  const AvgPool2dOptions& options() const { return options_; }

 private:
  AvgPool2dOptions options_;
};

}  // namespace convoy::nn
