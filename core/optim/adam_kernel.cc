// Adam's loop over elements: each array is read once and written once.
#include "core/optim/adam_kernel.h"

namespace convoy::optim::CONVOY_ISA_NAMESPACE {

void adam_update(const AdamArrays& arrays, const AdamCoefficients& coefficients) {
  const AdamCoefficients c = coefficients;
  float* __restrict value = arrays.values;
  const float* __restrict gradient = arrays.gradients;
  float* __restrict exp_avg = arrays.exp_avg;
  float* __restrict exp_avg_sq = arrays.exp_avg_sq;
  // The order of operations is PyTorch's, so that the same rounding happens at the same places.
  for (std::int64_t i = 0; i < arrays.count; ++i) {
    const float p = value[i] * c.shrink;
    const float g = gradient[i] * c.gradient_scale + c.weight_decay * p;
    const float m = exp_avg[i] * c.beta1 + c.one_minus_beta1 * g;
    const float v = exp_avg_sq[i] * c.beta2 + c.one_minus_beta2 * g * g;
    const float denominator = __builtin_sqrtf(v) / c.bias_correction2_sqrt + c.eps;
    value[i] = p + c.minus_step_size * m / denominator;
    exp_avg[i] = m;
    exp_avg_sq[i] = v;
  }
}

}  // namespace convoy::optim::CONVOY_ISA_NAMESPACE
