// Runs a layer forward and backward, for tests that look at the numbers.
#pragma once

#include <vector>

#include "core/nn/module.h"

namespace convoy::testing {

struct LayerRun {
  Shape shape;  ///< of the output
  std::vector<float> output;
  std::vector<float> input_gradient;
  std::vector<std::vector<float>> parameter_gradients;  ///< of this run, in the module's order

  friend bool operator==(const LayerRun&, const LayerRun&) = default;
};

struct LayerRunOptions {
  Tensor grad_output = {};  ///< ones if empty
  bool training = true;
  StepContext context = {};
};

/// A forward pass of `module` on `x` and a backward pass. The module's parameters must have memory;
/// their gradients are set to zero first.
LayerRun run_layer(nn::Module& module, const Tensor& x, const LayerRunOptions& options = {});

/// Normally distributed numbers, the same in every call with the same seed.
Tensor random_tensor(Shape shape, std::uint64_t seed = 1);

/// From -3 to 3: every sum of a million of their products is exact, in whatever order.
Tensor whole_numbers(Shape shape, std::uint64_t seed);

/// Expects the same bits from 1, 2 and 3 threads: outputs, gradients and buffers. The module gets a
/// ParameterStore of its own. Leaves the number of threads as it was.
void expect_bits_do_not_depend_on_threads(nn::Module& module, const Tensor& x,
                                          const Tensor& grad_output);
/// The same for random numbers of this shape.
void expect_bits_do_not_depend_on_threads(nn::Module& module, Shape input);

std::vector<float> copy_of(const Tensor& tensor);

}  // namespace convoy::testing
