// The largest value under a window.
// https://pytorch.org/docs/1.13/generated/torch.nn.MaxPool2d.html
#pragma once

#include <optional>

#include "core/nn/module.h"
#include "core/nn/pool_geometry.h"
#include "core/nn/size2.h"

namespace convoy::nn {

struct MaxPool2dOptions {
  Size2 kernel_size = 0;
  std::optional<Size2> stride = {};  ///< kernel_size if not given
  Size2 padding = 0;                 ///< implicit -infinity; at most half the kernel
  Size2 dilation = 1;
  bool ceil_mode = false;
};

/// x (N, H, W, C) -> y (N, P, Q, C). P and Q as torch.nn.MaxPool2d has them. Of equal values the
/// first in row order gets the gradient; NaN counts as the largest, the last NaN if several.
class MaxPool2d : public Module {
 public:
  explicit MaxPool2d(MaxPool2dOptions options);
  Variable forward(Tape& tape, const Variable& x) override;
  Shape output_shape(const Shape& x) const override;
  std::string describe() const override;
  const MaxPool2dOptions& options() const { return options_; }
  /// The extents for an input of shape `x`. Throws what forward would throw.
  PoolGeometry geometry(const Shape& x) const;

 private:
  MaxPool2dOptions options_;
};

}  // namespace convoy::nn
