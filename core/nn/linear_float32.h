// The three products of a Linear in float32 (core/nn/linear_bf16.h has the same in bf16). All use
// all threads; the bits do not depend on their number.
#pragma once

#include "core/autograd/parameter.h"

namespace convoy::nn {

/// x (N, in), weight (in, out), bias (out) or empty -> y (N, out).
Tensor float32_linear_forward(const Tensor& x, const Tensor& weight, const Tensor& bias);

/// weight (in, out), grad_y transposed (out, N) -> the gradient of x, transposed: (in, N).
Tensor float32_linear_backward_data(const Tensor& weight, const Tensor& grad_y_t);

/// x (N, in), grad_y (N, out) -> the weight's (in, out).
void float32_linear_backward_weight(const Tensor& x, const Tensor& grad_y,
                                    const Parameter::GradSum& grad);

}  // namespace convoy::nn
