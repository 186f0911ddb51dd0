#include "core/optim/schedule.h"

#include <gtest/gtest.h>

#include <vector>

#include "core/base/check.h"

namespace convoy::optim {
namespace {

using Kind = ScheduleOptions::Kind;

void expect_learning_rates(const ScheduleOptions& options, const std::vector<double>& expected) {
  const Schedule schedule(options);
  for (std::size_t step = 0; step < expected.size(); ++step) {
    EXPECT_NEAR(schedule.lr_at(static_cast<std::int64_t>(step)), expected[step], 1e-13 * options.lr)
        << schedule.describe() << " at step " << step;
  }
}

// All numbers are those of torch.optim.lr_scheduler, PyTorch 1.13.1.
TEST(ScheduleTest, StepAgreesWithPyTorch) {
  expect_learning_rates({.kind = Kind::kStep, .lr = 0.1, .step_size = 3},
                        {0.1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.001, 0.001});
}

TEST(ScheduleTest, CosineAgreesWithPyTorch) {
  expect_learning_rates(
      {.kind = Kind::kCosine, .lr = 0.1, .total_steps = 10, .eta_min = 0.001},
      {0.1, 0.0975772975566101, 0.0905463412215599, 0.0795953699884774, 0.0657963412215599, 0.0505,
       0.0352036587784401, 0.0214046300115226, 0.0104536587784401, 0.0034227024433899, 0.001});
}

TEST(ScheduleTest, OneCycleAgreesWithPyTorch) {
  expect_learning_rates(
      {.kind = Kind::kOneCycle, .lr = 0.1, .total_steps = 12},
      {0.004, 0.0349789654219583, 0.0879285159122129, 0.0994415435450912, 0.0933012969841412,
       0.0811745653949763, 0.0647378997695103, 0.0462637102666975, 0.0283060998208699,
       0.0133477530188831, 0.00345669874253952, 4e-07});
  expect_learning_rates(
      {.kind = Kind::kOneCycle,
       .lr = 0.1,
       .total_steps = 10,
       .pct_start = 0.5,
       .div_factor = 10,
       .final_div_factor = 100},
      {0.01, 0.0231801948466054, 0.055, 0.0868198051533946, 0.1, 0.0904603988690286,
       0.0654853988690286, 0.0346146011309714, 0.00963960113097138, 0.0001});
}

// SequentialLR([LinearLR(start_factor=1/5, total_iters=4), ...], milestones=[4])
TEST(ScheduleTest, WarmUpLeadsLinearlyIntoTheSchedule) {
  expect_learning_rates(
      {.kind = Kind::kCosine, .lr = 0.1, .total_steps = 10, .warmup_steps = 4},
      {0.02, 0.04, 0.06, 0.08, 0.1, 0.0933012701892219, 0.075, 0.05, 0.025, 0.00669872981077806});
  expect_learning_rates({.kind = Kind::kStep, .lr = 0.1, .warmup_steps = 4, .step_size = 2},
                        {0.02, 0.04, 0.06, 0.08, 0.1, 0.1, 0.01, 0.01, 0.001, 0.001});
  expect_learning_rates({.lr = 0.1, .warmup_steps = 1}, {0.05, 0.1, 0.1});
  // A cycle begins low, so its warm-up ends there too: no jump.
  expect_learning_rates({.kind = Kind::kOneCycle, .lr = 0.1, .total_steps = 13, .warmup_steps = 1},
                        {0.002, 0.004, 0.0349789654219583});
}

TEST(ScheduleTest, LearningRateStaysAtTheEnd) {
  expect_learning_rates({.kind = Kind::kCosine, .lr = 0.1, .total_steps = 1}, {0.1, 0.0, 0.0});
  const Schedule cycle({.kind = Kind::kOneCycle, .lr = 0.1, .total_steps = 12});
  EXPECT_EQ(cycle.lr_at(1000), cycle.lr_at(11));
}

TEST(ScheduleTest, CyclesOfAFewStepsHaveNoHoles) {
  for (const double pct_start : {0.0, 0.3, 0.5, 1.0}) {
    for (std::int64_t total = 1; total <= 4; ++total) {
      const Schedule cycle(
          {.kind = Kind::kOneCycle, .lr = 0.1, .total_steps = total, .pct_start = pct_start});
      for (std::int64_t step = 0; step < total; ++step) {
        EXPECT_GT(cycle.lr_at(step), 0.0) << cycle.describe() << pct_start;
        EXPECT_LE(cycle.lr_at(step), 0.1) << cycle.describe() << pct_start;
      }
    }
  }
}

TEST(ScheduleTest, WhatCannotBeIsRefused) {
  EXPECT_THROW(Schedule({.lr = -1.0}), Error);
  EXPECT_THROW(Schedule({.warmup_steps = -1}), Error);
  EXPECT_THROW(Schedule({.kind = Kind::kStep}), Error);
  EXPECT_THROW(Schedule({.kind = Kind::kCosine}), Error);
  EXPECT_THROW(Schedule({.kind = Kind::kCosine, .total_steps = 5, .warmup_steps = 5}), Error);
  EXPECT_THROW(Schedule({.kind = Kind::kOneCycle, .total_steps = 5, .pct_start = 1.5}), Error);
  EXPECT_THROW(Schedule({.kind = Kind::kOneCycle, .total_steps = 5, .div_factor = 0.0}), Error);
}

}  // namespace
}  // namespace convoy::optim
