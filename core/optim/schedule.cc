#include "core/optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/base/check.h"

namespace convoy::optim {
namespace {

// Along half a cosine, from `from` at fraction 0 to `to` at fraction 1.
double half_cosine(double from, double to, double fraction) {
  return to + (from - to) / 2.0 * (1.0 + std::cos(std::numbers::pi * fraction));
}

std::string_view kind_name(ScheduleOptions::Kind kind) {
  switch (kind) {
    case ScheduleOptions::Kind::kStep:
      return "Step";
    case ScheduleOptions::Kind::kCosine:
      return "Cosine";
    case ScheduleOptions::Kind::kOneCycle:
      return "OneCycle";
    case ScheduleOptions::Kind::kConstant:
      break;
  }
  return "Constant";
}

}  // namespace

Schedule::Schedule(ScheduleOptions options) : options_(options) {
  using Kind = ScheduleOptions::Kind;
  const ScheduleOptions& o = options;
  const std::string_view name = kind_name(o.kind);
  const bool has_end = o.kind == Kind::kCosine || o.kind == Kind::kOneCycle;
  check(o.lr >= 0.0, "{} schedule: lr {} is negative", name, o.lr);
  check(o.warmup_steps >= 0, "{} schedule: {} warm-up steps", name, o.warmup_steps);
  check(!has_end || o.total_steps > o.warmup_steps,
        "{} schedule: {} warm-up steps leave nothing of {} steps", name, o.warmup_steps,
        o.total_steps);
  check(o.kind != Kind::kStep || o.step_size >= 1, "{} schedule: step_size {} must be at least 1",
        name, o.step_size);
  check(o.kind != Kind::kOneCycle || (o.pct_start >= 0.0 && o.pct_start <= 1.0),
        "{} schedule: pct_start {} must lie between 0 and 1", name, o.pct_start);
  check(o.kind != Kind::kOneCycle || (o.div_factor > 0.0 && o.final_div_factor > 0.0),
        "{} schedule: div_factor {} and final_div_factor {} must be positive", name, o.div_factor,
        o.final_div_factor);
}

double Schedule::lr_at(std::int64_t step) const {
  if (step < options_.warmup_steps) {
    return after_warmup(0) * static_cast<double>(step + 1) /
           static_cast<double>(options_.warmup_steps + 1);
  }
  return after_warmup(step - options_.warmup_steps);
}

double Schedule::after_warmup(std::int64_t t) const {
  const ScheduleOptions& o = options_;
  const std::int64_t steps = o.total_steps - o.warmup_steps;
  switch (o.kind) {
    case ScheduleOptions::Kind::kStep:
      return o.lr * std::pow(o.gamma, t / o.step_size);
    case ScheduleOptions::Kind::kCosine:
      return half_cosine(o.lr, o.eta_min,
                         static_cast<double>(std::min(t, steps)) / static_cast<double>(steps));
    case ScheduleOptions::Kind::kOneCycle: {
      const double first = o.lr / o.div_factor;
      const double now = static_cast<double>(std::min(t, steps - 1));
      const double end = static_cast<double>(steps - 1);
      const double peak = o.pct_start * static_cast<double>(steps) - 1.0;
      if (now < peak) {
        return half_cosine(first, o.lr, now / peak);
      }
      return half_cosine(o.lr, first / o.final_div_factor,
                         end > peak ? (now - peak) / (end - peak) : 0.0);
    }
    case ScheduleOptions::Kind::kConstant:
      break;
  }
  return o.lr;
}

std::string Schedule::describe() const {
  return fmt::format("{}(lr={}, total_steps={}, warmup_steps={})", kind_name(options_.kind),
                     options_.lr, options_.total_steps, options_.warmup_steps);
}

}  // namespace convoy::optim
