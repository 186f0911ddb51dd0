#include "core/optim/sgd.h"

#include "core/base/check.h"
#include "core/optim/range.h"

namespace convoy::optim {

Sgd::Sgd(std::int64_t elements, SgdOptions options) : options_(options), elements_(elements) {
  check(elements >= 0, "SGD: {} elements", elements);
  check(options.momentum >= 0.0, "SGD: momentum {} is negative", options.momentum);
  check(options.weight_decay >= 0.0, "SGD: weight_decay {} is negative", options.weight_decay);
  check(!options.nesterov || (options.momentum > 0.0 && options.dampening == 0.0),
        "SGD: nesterov needs momentum above 0 and no dampening, but they are {} and {}",
        options.momentum, options.dampening);
  if (options.momentum > 0.0) {
    momentum_buffer_ = Tensor::zeros({elements});
  }
}

void Sgd::update(std::span<float> values, std::span<const float> gradients, std::int64_t offset,
                 const Update& update) {
  check_range(*this, values, gradients, offset, elements_);
  const auto scale = static_cast<float>(update.gradient_scale);
  const auto decay = static_cast<float>(options_.weight_decay);
  const auto minus_lr = static_cast<float>(-update.lr);
  const auto momentum = static_cast<float>(options_.momentum);
  const bool first = step() == 1;
  const float old_part = first ? 0.0F : momentum;
  const float new_part = first ? 1.0F : static_cast<float>(1.0 - options_.dampening);
  const float direct_part = options_.nesterov ? 1.0F : 0.0F;
  const float buffer_part = options_.nesterov ? momentum : 1.0F;

  // By value: behind a reference the numbers could alias the arrays and the loops would be scalar.
  for_each_chunk(values.size(), [=, this](std::size_t begin, std::size_t count) {
    float* __restrict value = values.data() + begin;
    const float* __restrict gradient = gradients.data() + begin;
    if (momentum_buffer_.empty()) {
      for (std::size_t i = 0; i < count; ++i) {
        value[i] += minus_lr * (gradient[i] * scale + decay * value[i]);
      }
      return;
    }
    float* __restrict buffer = momentum_buffer_.data() + offset + begin;
    for (std::size_t i = 0; i < count; ++i) {
      const float g = gradient[i] * scale + decay * value[i];
      buffer[i] = buffer[i] * old_part + new_part * g;
      value[i] += minus_lr * (direct_part * g + buffer_part * buffer[i]);
    }
  });
}

std::vector<Optimizer::State> Sgd::state() {
  if (momentum_buffer_.empty()) {
    return {};
  }
  return {{"momentum_buffer", momentum_buffer_}};
}

std::string Sgd::describe() const {
  return fmt::format("SGD(momentum={}, dampening={}, weight_decay={}, nesterov={})",
                     options_.momentum, options_.dampening, options_.weight_decay,
                     options_.nesterov);
}

}  // namespace convoy::optim
