#include "core/optim/adam.h"

#include <cmath>

#include "core/base/check.h"
#include "core/base/isa.h"
#include "core/base/parallel.h"
#include "core/optim/adam_kernel.h"
#include "core/optim/range.h"

namespace convoy::optim {

CONVOY_KERNEL(adam_update, (const AdamArrays& arrays, const AdamCoefficients& coefficients))

Adam::Adam(std::int64_t elements, AdamOptions options)
    : options_(options),
      exp_avg_(Tensor::zeros({elements})),
      exp_avg_sq_(Tensor::zeros({elements})) {
  for (const double beta : options.betas) {
    check(beta >= 0.0 && beta < 1.0, "Adam: betas ({}, {}) must be at least 0 and less than 1",
          options.betas[0], options.betas[1]);
  }
  check(options.eps > 0.0, "Adam: eps {} must be positive", options.eps);
  check(options.weight_decay >= 0.0, "Adam: weight_decay {} is negative", options.weight_decay);
}

void Adam::update(std::span<float> values, std::span<const float> gradients, std::int64_t offset,
                  const Update& update) {
  check_range(*this, values, gradients, offset, exp_avg_.elements());
  const auto [beta1, beta2] = options_.betas;
  const double t = static_cast<double>(step());
  const double decay = options_.weight_decay;
  const bool decoupled = options_.decoupled_weight_decay;
  const AdamCoefficients coefficients = {
      .gradient_scale = static_cast<float>(update.gradient_scale),
      .weight_decay = static_cast<float>(decoupled ? 0.0 : decay),
      .shrink = static_cast<float>(decoupled ? 1.0 - update.lr * decay : 1.0),
      .beta1 = static_cast<float>(beta1),
      .one_minus_beta1 = static_cast<float>(1.0 - beta1),
      .beta2 = static_cast<float>(beta2),
      .one_minus_beta2 = static_cast<float>(1.0 - beta2),
      .bias_correction2_sqrt = static_cast<float>(std::sqrt(1.0 - std::pow(beta2, t))),
      .eps = static_cast<float>(options_.eps),
      .minus_step_size = static_cast<float>(-update.lr / (1.0 - std::pow(beta1, t))),
  };
  const auto kernel = adam_update_kernel();
  for_each_chunk(values.size(), [&](std::size_t begin, std::size_t count) {
    const std::size_t at = static_cast<std::size_t>(offset) + begin;
    kernel({.values = values.data() + begin,
            .gradients = gradients.data() + begin,
            .exp_avg = exp_avg_.data() + at,
            .exp_avg_sq = exp_avg_sq_.data() + at,
            .count = static_cast<std::int64_t>(count)},
           coefficients);
  });
}

std::vector<Optimizer::State> Adam::state() {
  return {{"exp_avg", exp_avg_}, {"exp_avg_sq", exp_avg_sq_}};
}

std::string Adam::describe() const {
  return fmt::format("{}(betas=({}, {}), eps={}, weight_decay={})",
                     options_.decoupled_weight_decay ? "AdamW" : "Adam", options_.betas[0],
                     options_.betas[1], options_.eps, options_.weight_decay);
}

}  // namespace convoy::optim
