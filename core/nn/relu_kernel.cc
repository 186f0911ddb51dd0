#include "core/nn/relu_kernel.h"

// Written so that NaN, and the gradient at one, passes through, as in PyTorch. There is no -0 in
// the output.
namespace convoy::nn::CONVOY_ISA_NAMESPACE {

void relu_forward(const float* __restrict x, float* __restrict y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    y[i] = x[i] <= 0.0F ? 0.0F : x[i];
  }
}

void relu_in_place(float* y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float kept = y[i];
    y[i] = kept <= 0.0F ? 0.0F : kept;
  }
}

void relu_backward(const float* __restrict y, float* __restrict grad, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float kept = grad[i];  // loaded in any case: else clang's SSE2 code stays scalar
    grad[i] = y[i] <= 0.0F ? 0.0F : kept;
  }
}

}  // namespace convoy::nn::CONVOY_ISA_NAMESPACE
