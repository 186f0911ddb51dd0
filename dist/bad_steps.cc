#include "dist/bad_steps.h"

#include <algorithm>

#include "core/base/check.h"

namespace convoy::dist {

void BadSteps::before_step() {
  if (policy_ == OnNan::kSkip) {
    const std::span<const float> buffers = store_.buffers();
    buffers_.assign(buffers.begin(), buffers.end());
  }
}

void BadSteps::at_checkpoint() {
  if (policy_ != OnNan::kRollBack) {
    return;
  }
  const std::span<const float> values = store_.all_values();
  values_.assign(values.begin(), values.end());
  optimizer_state_.clear();
  for (const optim::Optimizer::State& state : optimizer_.state()) {
    const std::span<const float> numbers = state.values.values();
    optimizer_state_.emplace_back(numbers.begin(), numbers.end());
  }
  optimizer_step_ = optimizer_.step();
}

void BadSteps::good() {
  strain_ = std::max(0, strain_ - 1);
}

std::string BadSteps::bad(const std::string& where) {
  constexpr int kBadStep = 10;
  constexpr int kMaxStrain = 100;
  check(policy_ != OnNan::kStop,
        "{}.\nUsually the learning rate is too high or pixels are unscaled; try a smaller --lr or "
        "--clip-norm 1. --on-nan skip or rollback go on without such steps.",
        where);
  strain_ += kBadStep;
  check(strain_ <= kMaxStrain,
        "{}, as more than every tenth step of late: that does not pass.\nTry a smaller --lr or "
        "--clip-norm 1.",
        where);
  if (policy_ == OnNan::kSkip) {
    std::ranges::copy(buffers_, store_.buffers().begin());
    return where + ": its update is left out";
  }
  std::ranges::copy(values_, store_.all_values().begin());
  std::vector<optim::Optimizer::State> states = optimizer_.state();
  for (std::size_t i = 0; i < states.size(); ++i) {
    std::ranges::copy(optimizer_state_[i], states[i].values.values().begin());
  }
  optimizer_.set_step(optimizer_step_);
  return where + ": back to the weights of the last checkpoint";
}

}  // namespace convoy::dist
