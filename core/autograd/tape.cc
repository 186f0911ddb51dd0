#include "core/autograd/tape.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/tensor/buffer_pool.h"

namespace convoy {

void* Node::operator new(std::size_t bytes) {
  return BufferPool::instance().take_bytes(bytes);
}

void Node::operator delete(void* block, std::size_t bytes) noexcept {
  BufferPool::instance().give_bytes(block, bytes);
}

void Tape::begin_step(StepContext context) {
  context_ = std::move(context);
  entries_.clear();
  std::ranges::fill(users_, 0);
  finished_ = true;
}

GradSlot Tape::new_slot() {
  if (finished_) {
    grads_.clear();
    finished_ = false;
  }
  grads_.emplace_back();
  return {static_cast<int>(grads_.size()) - 1};
}

Variable Tape::watch(Tensor value) {
  return options_.recording ? Variable(std::move(value), new_slot()) : Variable(std::move(value));
}

Variable Tape::record(Tensor output, std::unique_ptr<Node> node) {
  check(options_.recording, "{} recorded on a tape that does not record", node->name());
  for (const Parameter* parameter : node->parameters()) {
    const auto index = static_cast<std::size_t>(parameter->index());
    check(parameter->index() >= 0, "{} runs before a ParameterStore gave it memory", node->name());
    if (index >= users_.size()) {
      users_.resize(index + 1);
    }
    ++users_[index];
  }
  const GradSlot slot = new_slot();
  entries_.push_back({std::move(node), slot});
  return {std::move(output), slot};
}

void Tape::add_grad(GradSlot slot, Tensor grad) {
  if (!slot) {
    return;
  }
  Tensor& sum = grads_[static_cast<std::size_t>(slot.index)];
  if (sum.empty()) {
    sum = std::move(grad);
    return;
  }
  check(sum.shape() == grad.shape(), "gradients of shapes {} and {} meet at one variable",
        sum.shape().str(), grad.shape().str());
  const std::span<const float> added = grad.values();
  for (std::size_t i = 0; float& element : sum.values()) {
    element += added[i++];
  }
}

void Tape::backward(const Variable& root, Tensor grad_output) {
  check(root.requires_grad() && !finished_ && root.slot().index < static_cast<int>(grads_.size()),
        "backward: this variable is not on the tape. Either nothing it depends on is learned, or "
        "backward has already run; run forward again.");
  grad_output = grad_output.empty() ? Tensor::full(root.shape(), 1.0F) : grad_output.clone();
  check(grad_output.shape() == root.shape(), "backward: gradient of shape {} for a variable of {}",
        grad_output.shape().str(), root.shape().str());
  add_grad(root.slot(), std::move(grad_output));
  while (!entries_.empty()) {
    const Entry entry = std::move(entries_.back());
    entries_.pop_back();
    Tensor grad = std::move(grads_[static_cast<std::size_t>(entry.output.index)]);
    if (!grad.empty()) {
      entry.node->backward(*this, std::move(grad));
    }
    for (Parameter* parameter : entry.node->parameters()) {
      if (--users_[static_cast<std::size_t>(parameter->index())] == 0) {
        parameter->grad();  // zeros, if no gradient reached any of its users
        if (on_ready_) {
          on_ready_(*parameter);
        }
      }
    }
  }
  finished_ = true;
}

std::span<float> Tape::factor_memory(Parameter& parameter, std::int64_t floats) const {
  const bool alone =
      parameter.grad_is_zero() && users_[static_cast<std::size_t>(parameter.index())] == 1;
  const std::span<float> memory =
      factor_memory_ && alone ? factor_memory_(parameter) : std::span<float>();
  if (memory.empty() || std::ssize(memory) < floats) {
    return {};
  }
  parameter.contribute_grad();  // so that nobody fills it with zeros
  return memory;
}

const Tensor& Tape::grad(const Variable& leaf) const {
  check(leaf.requires_grad(), "this variable was not watched: it has no gradient");
  return grads_.at(static_cast<std::size_t>(leaf.slot().index));
}

}  // namespace convoy
