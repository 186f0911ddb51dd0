#include "core/nn/relu.h"

#include "core/base/parallel.h"
#include "core/nn/relu_kernel.h"

namespace convoy::nn {
namespace {

class ReluNode : public Node {
 public:
  ReluNode(GradSlot input, Tensor output) : input_(input), output_(std::move(output)) {}

  std::string_view name() const override { return "ReLU"; }

  void backward(Tape& tape, Tensor grad_output) override {
    // The incoming gradient is this node's own, so it becomes the outgoing one in place.
    const auto kernel = relu_backward_kernel();
    parallel_for(grad_output.elements(), [&](std::int64_t begin, std::int64_t end, int) {
      kernel(output_.data() + begin, grad_output.data() + begin, end - begin);
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
  const auto kernel = relu_forward_kernel();
  parallel_for(y.elements(), [&](std::int64_t begin, std::int64_t end, int) {
    kernel(x.value().data() + begin, y.data() + begin, end - begin);
  });
  if (!tape.needs_grad(x)) {
    return y;
  }
  return tape.record(y, std::make_unique<ReluNode>(x.slot(), y));
}

}  // namespace convoy::nn
