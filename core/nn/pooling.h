// What the pooling layers share: PyTorch's refusals and its output sizes.
#pragma once

#include <string_view>

#include "core/nn/pool_geometry.h"
#include "core/nn/size2.h"
#include "core/tensor/shape.h"

namespace convoy::nn {

struct PoolWindow {
  Size2 kernel_size = 0;
  Size2 stride = 1;
  Size2 padding = 0;
  Size2 dilation = 1;
  bool ceil_mode = false;
};

/// Throws Error, on behalf of `layer`, for windows that PyTorch refuses.
void check_window(std::string_view layer, const PoolWindow& window);

/// The windows on an input x (N, H, W, C): per side, with floor or, in ceil mode, ceil,
///   P = round((H + 2 padding - dilation * (kernel_size - 1) - 1) / stride) + 1,
/// less one in ceil mode if the last window would begin beyond the image and its first padding.
/// Throws Error unless x has four axes, all but N positive, and at least one window fits.
PoolGeometry pool_geometry(std::string_view layer, const PoolWindow& window, const Shape& x);

}  // namespace convoy::nn
