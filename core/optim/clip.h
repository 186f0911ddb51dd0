// Clipping the gradient by its global norm, as torch.nn.utils.clip_grad_norm_ does.
//
//   const double norm = scale * l2_norm(store.gradients());
//   update.gradient_scale = scale * clip_factor(norm, max_norm);   // no pass over the gradient
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace convoy::optim {

/// The square root of the sum of squares, summed in double over blocks of kNormBlock values: the
/// same bits for any number of threads. Not a number or infinite if a value is.
double l2_norm(std::span<const float> values);

/// The same in two halves, for when ranks hold different blocks: the sum of each block's squares,
/// then the norm from those of all blocks.
inline constexpr std::int64_t kNormBlock = 4096;
std::size_t norm_blocks(std::size_t elements);
void sums_of_squares(std::span<const float> values, std::span<double> sums);
double l2_norm_of(std::span<const double> sums);

/// What to multiply a gradient of this norm by: max_norm / (norm + 1e-6), at most 1; NaN for NaN.
/// Throws Error unless max_norm is positive.
double clip_factor(double norm, double max_norm);

}  // namespace convoy::optim
