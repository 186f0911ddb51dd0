// Optimizers, clipping and schedules against PyTorch (optimizer_cases.py).

#include <gtest/gtest.h>

#include <map>
#include <memory>

#include "core/optim/adam.h"
#include "core/optim/clip.h"
#include "core/optim/schedule.h"
#include "core/optim/sgd.h"
#include "tests/parity/fixture.h"
#include "tests/parity/synthetic.h"

namespace convoy::parity {
namespace {

std::unique_ptr<optim::Optimizer> make_optimizer(const std::string& kind, const Json& options,
                                                 std::int64_t size) {
  const double weight_decay = options.value("weight_decay", 0.0);
  if (kind == "SGD") {
    return std::make_unique<optim::Sgd>(
        size, optim::SgdOptions{.momentum = options.value("momentum", 0.0),
                                .dampening = options.value("dampening", 0.0),
                                .weight_decay = weight_decay,
                                .nesterov = options.value("nesterov", false)});
  }
  const optim::AdamOptions defaults;
  return std::make_unique<optim::Adam>(
      size, optim::AdamOptions{.betas = options.value("betas", defaults.betas),
                               .eps = options.value("eps", defaults.eps),
                               .weight_decay = weight_decay,
                               .decoupled_weight_decay = kind == "AdamW"});
}

TEST(OptimizersParityTest, ValuesAgreeAfterEachOfTenSteps) {
  static const Json fixture = read_fixture("optimizers");
  for (const Json& update : fixture["updates"]) {
    SCOPED_TRACE(update["kind"].dump() + update["options"].dump());
    const Json& steps = update["values"];
    const auto size = static_cast<std::int64_t>(steps[0].size());
    const auto optimizer = make_optimizer(update["kind"], update["options"], size);
    std::vector<float> values = uniform(kParameter, size);
    for (std::uint32_t step = 0; step < steps.size(); ++step) {
      const std::vector<float> gradients = uniform(kGradOutput + kStep * step, size);
      double scale = update["gradient_scale"];
      if (!update["max_norm"].is_null()) {
        scale *= optim::clip_factor(scale * optim::l2_norm(gradients), update["max_norm"]);
      }
      optimizer->begin_step();
      optimizer->update(values, gradients, /*offset=*/0,
                        {.lr = update["lr"], .gradient_scale = scale});
      expect_close("step " + std::to_string(step), values, steps[step], kOptimizerTolerance);
    }
  }
}

TEST(OptimizersParityTest, LearningRatesAgreeInEveryStep) {
  using Kind = optim::ScheduleOptions::Kind;
  static const std::map<std::string, Kind> kinds = {
      {"step", Kind::kStep}, {"cosine", Kind::kCosine}, {"one_cycle", Kind::kOneCycle}};
  static const Json fixture = read_fixture("optimizers");
  for (const Json& schedule_case : fixture["schedules"]) {
    const Json& options = schedule_case["options"];
    SCOPED_TRACE(options.dump());
    const optim::ScheduleOptions defaults;
    const optim::Schedule schedule(
        {.kind = kinds.at(options["kind"]),
         .lr = options["lr"],
         .total_steps = options["total_steps"],
         .warmup_steps = options.value("warmup_steps", defaults.warmup_steps),
         .step_size = options.value("step_size", defaults.step_size),
         .gamma = options.value("gamma", defaults.gamma),
         .eta_min = options.value("eta_min", defaults.eta_min),
         .pct_start = options.value("pct_start", defaults.pct_start),
         .div_factor = options.value("div_factor", defaults.div_factor),
         .final_div_factor = options.value("final_div_factor", defaults.final_div_factor)});
    for (std::int64_t step = 0; const Json& rate : schedule_case["rates"]) {
      expect_close("step " + std::to_string(step), schedule.lr_at(step), rate, kOptimizerTolerance);
      ++step;
    }
  }
}

}  // namespace
}  // namespace convoy::parity
