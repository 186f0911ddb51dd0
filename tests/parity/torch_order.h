// Between convoy's memory order and PyTorch's. The program has its own such permutation in core/io;
// this one is apart from it so that one mistake cannot hide in both.
#pragma once

#include <span>
#include <vector>

#include "core/autograd/parameter.h"

namespace convoy::parity {

/// (N, C, H, W) as (N, H, W, C); a shape of two axes as it is.
Shape shape_from_torch(std::span<const std::int64_t> shape);

/// The elements in PyTorch's order. A plain tensor of 4 axes is an activation (N, H, W, C).
std::vector<float> to_torch(const Tensor& tensor, Layout layout = Layout::kPlain);

/// Fills `tensor` from `values` in PyTorch's order. Throws Error unless they are as many.
void from_torch(Tensor& tensor, std::span<const float> values, Layout layout = Layout::kPlain);

}  // namespace convoy::parity
