// Clipping the gradient by its global norm, as torch.nn.utils.clip_grad_norm_ does.
//
//   const double norm = scale * l2_norm(store.gradients());
//   update.gradient_scale = scale * clip_factor(norm, max_norm);   // no pass over the gradient
#pragma once

#include <span>

namespace convoy::optim {

/// The square root of the sum of squares, summed in double over pieces whose number and order
/// depend on the length alone: the same bits for any number of threads. Not a number or infinite
/// if a value is.
double l2_norm(std::span<const float> values);

/// What to multiply a gradient of this norm by: max_norm / (norm + 1e-6), at most 1; NaN for NaN.
/// Throws Error unless max_norm is positive.
double clip_factor(double norm, double max_norm);

}  // namespace convoy::optim
