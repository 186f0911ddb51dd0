// A convolution over a whole batch, together with the ReLU and the max-pooling that follow it: what
// it makes of an image goes on while it is in the cache, and never becomes a tensor. No autograd.
#pragma once

#include <optional>

#include "core/nn/conv2d_geometry.h"
#include "core/nn/pool_geometry.h"
#include "core/tensor/pool_array.h"
#include "core/tensor/tensor.h"

namespace convoy::nn {

/// First the ReLU, then the max-pooling, if there. Outputs have the same bits as from layers of
/// their own.
struct ConvEpilogue {
  bool relu = false;
  std::optional<PoolGeometry> pool = {};  ///< without dilation

  bool empty() const { return !relu && !pool; }
};

struct ConvOutput {
  Tensor y;                         ///< (N, P, Q, K), P and Q those of the pooling if there is one
  PoolArray<std::uint8_t> winners;  ///< of the pooling, if asked for: see max_pool2d_kernel.h
};

/// `input` is conv_input(g, x) of conv2d_passes.h, weight (R, S, C/groups, K), bias (K) or empty.
struct ConvOperands {
  const Tensor& input;
  const Tensor& weight;
  const Tensor& bias;
};
ConvOutput conv_forward(const ConvGeometry& g, const ConvOperands& operands,
                        const ConvEpilogue& epilogue = {}, bool keep_winners = false);

/// Where the gradients go: those of weight and bias are added, that of x (N, H, W, C) is written.
struct ConvGradients {
  Tensor& weight;
  Tensor* bias = nullptr;  ///< null: not wanted
  Tensor* x = nullptr;     ///< null: not wanted
};
/// `grad_y`, that of output.y, is overwritten. Bits do not depend on the number of threads.
void conv_backward(const ConvGeometry& g, const ConvOperands& operands,
                   const ConvEpilogue& epilogue, const ConvOutput& output, Tensor grad_y,
                   const ConvGradients& gradients);

}  // namespace convoy::nn
