// What Adam's loop over elements is given. The loop is compiled once per instruction set, so this
// header brings no inline functions.
#pragma once

#include <cstdint>

namespace convoy::optim {

/// The numbers of one step; the arrays' formula is in adam.h.
struct AdamCoefficients {
  float gradient_scale = 1.0F;
  float weight_decay = 0.0F;  ///< added to the gradient as weight_decay * value; 0 if decoupled
  float shrink = 1.0F;        ///< value is multiplied by this first; 1 unless decoupled
  float beta1 = 0.0F;
  float one_minus_beta1 = 0.0F;
  float beta2 = 0.0F;
  float one_minus_beta2 = 0.0F;
  float bias_correction2_sqrt = 1.0F;
  float eps = 0.0F;
  float minus_step_size = 0.0F;
};

/// `count` elements of each; no two of them overlap.
struct AdamArrays {
  float* values = nullptr;
  const float* gradients = nullptr;
  float* exp_avg = nullptr;
  float* exp_avg_sq = nullptr;
  std::int64_t count = 0;
};

}  // namespace convoy::optim
