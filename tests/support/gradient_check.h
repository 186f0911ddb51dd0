// One gradient checker for every operation: compares backward with finite differences.
#pragma once

#include <functional>

#include "core/autograd/tape.h"
#include "core/nn/module.h"

namespace convoy::testing {

/// Expects that the gradients which `module` gives for its input and each of its parameters agree
/// with central differences of a weighted sum of its output, at random values drawn from `seed`.
/// The module gets a ParameterStore of its own. `training` is handed to the tape.
struct GradientCheck {
  Shape input = {};
  bool training = true;
  double step = 1e-2;
  double tolerance = 1e-2;  ///< relative to the largest gradient of the same tensor
  std::uint64_t seed = 1;
  /// Inputs come from a grid of distinct values with this spacing, so that kinks (ReLU, max) are
  /// never within `step` of a value.
  double spacing = 0.05;
};
void expect_gradients(nn::Module& module, const GradientCheck& check);

}  // namespace convoy::testing
