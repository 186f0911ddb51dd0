// The learning rate as a pure function of the step, with the formulas of torch.optim.lr_scheduler
// 1.13. https://pytorch.org/docs/1.13/optim.html#how-to-adjust-learning-rate
#pragma once

#include <cstdint>
#include <string>

namespace convoy::optim {

struct ScheduleOptions {
  enum class Kind {
    kConstant,  ///< lr
    kStep,      ///< StepLR: lr * gamma^floor(t / step_size)
    kCosine,    ///< CosineAnnealingLR: from lr down to eta_min along half a cosine
    kOneCycle,  ///< OneCycleLR: from lr / div_factor up to lr, then far down, along two half
                ///< cosines
  };
  Kind kind = Kind::kConstant;
  double lr = 1e-3;               ///< the base learning rate; one-cycle's peak (max_lr)
  std::int64_t total_steps = 0;   ///< optimizer steps of the run; cosine and one-cycle need it
  std::int64_t warmup_steps = 0;  ///< steps of linear warm-up before the schedule
  std::int64_t step_size = 0;     ///< kStep, in optimizer steps
  double gamma = 0.1;             ///< kStep
  double eta_min = 0.0;           ///< kCosine
  double pct_start = 0.3;         ///< kOneCycle: fraction of the steps on the way up
  double div_factor = 25.0;       ///< kOneCycle: peak / first
  double final_div_factor = 1e4;  ///< kOneCycle: first / last
};

/// Immutable, so any number of threads may ask. With W warm-up steps, step k < W has (k + 1) /
/// (W + 1) of the schedule's first learning rate, and the schedule proper runs over the other
/// total_steps - W steps (SequentialLR with LinearLR first). After the last step of a cosine or a
/// cycle the learning rate stays at its end. One-cycle leaves momentum and betas alone, which is
/// PyTorch's cycle_momentum=False, and has no three_phase form.
class Schedule {
 public:
  /// Throws Error for options out of their range.
  explicit Schedule(ScheduleOptions options);

  /// Of the optimizer step that follows `step` earlier ones. REQUIRES: step >= 0.
  double lr_at(std::int64_t step) const;
  /// "OneCycle(lr=0.01, total_steps=1000, warmup_steps=0)"
  std::string describe() const;
  const ScheduleOptions& options() const { return options_; }

 private:
  double after_warmup(std::int64_t t) const;
  ScheduleOptions options_;
};

}  // namespace convoy::optim
