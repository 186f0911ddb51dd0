#include "core/nn/relu.h"

#include <algorithm>

#include "core/base/parallel.h"

namespace convoy::nn {
namespace {

class ReluNode : public Node {
 public:
  ReluNode(GradSlot input, Tensor output) : input_(input), output_(std::move(output)) {}

  std::string_view name() const override { return "ReLU"; }

  void backward(Tape& tape, Tensor grad_output) override {
    // The incoming gradient is this node's own, so it becomes the outgoing one in place.
    float* grad = grad_output.data();
    const float* y = output_.data();
    parallel_for(grad_output.elements(), [&](std::int64_t begin, std::int64_t end, int) {
      for (std::int64_t i = begin; i < end; ++i) {
        grad[i] = y[i] > 0.0F ? grad[i] : 0.0F;
      }
    });
    tape.add_grad(input_, std::move(grad_output));
  }

 private:
  GradSlot input_;
  Tensor output_;
};

}  // namespace

Variable ReLU::forward(Tape& tape, const Variable& x) {
  Tensor y(x.shape());
  const float* in = x.value().data();
  float* out = y.data();
  parallel_for(y.elements(), [&](std::int64_t begin, std::int64_t end, int) {
    // Written so that NaN passes through, as in PyTorch.
    for (std::int64_t i = begin; i < end; ++i) {
      out[i] = in[i] < 0.0F ? 0.0F : in[i];
    }
  });
  if (!tape.needs_grad(x)) {
    return y;
  }
  return tape.record(y, std::make_unique<ReluNode>(x.slot(), y));
}

}  // namespace convoy::nn
