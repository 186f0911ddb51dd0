// Adam's loop over elements: each array is read once and written once.
#include "core/optim/adam_kernel.h"

namespace convoy::optim::CONVOY_ISA_NAMESPACE {
namespace {

constexpr std::int64_t kLine = 16;    // elements
constexpr std::int64_t kBlock = 64;   // from one look ahead to the next
constexpr std::int64_t kAhead = 192;  // how far that is

// The elements from `begin` on.
inline void update(const AdamArrays& arrays, const AdamCoefficients& c, std::int64_t begin,
                   std::int64_t count) {
  float* __restrict value = arrays.values + begin;
  const float* __restrict gradient = arrays.gradients + begin;
  float* __restrict exp_avg = arrays.exp_avg + begin;
  float* __restrict exp_avg_sq = arrays.exp_avg_sq + begin;
  // The order of operations is PyTorch's, so that the same rounding happens at the same places.
  for (std::int64_t i = 0; i < count; ++i) {
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

}  // namespace

void adam_update(const AdamArrays& arrays, const AdamCoefficients& coefficients) {
  const AdamCoefficients c = coefficients;
  std::int64_t i = 0;
  for (; i + kAhead + kBlock <= arrays.count; i += kBlock) {
    // Where ranks share weights, other cores have read them: to write them takes long unless they
    // are asked for early.
    for (std::int64_t line = i + kAhead; line < i + kAhead + kBlock; line += kLine) {
      __builtin_prefetch(arrays.values + line, 1);
    }
    update(arrays, c, i, kBlock);  // a constant: without, 1.1 to 1.3 times as long
  }
  update(arrays, c, i, arrays.count - i);
}

}  // namespace convoy::optim::CONVOY_ISA_NAMESPACE
