// A run that was never trained: reports to a Coordinator what a training could have told, the same
// every time. For tests of what shows runs.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <random>
#include <string>

#include "dist/coordinator/coordinator.h"

namespace convoy::testing {

/// A coordinator's clock, put forward by hand. Thread safe.
class MadeUpClock {
 public:
  using Time = std::chrono::system_clock::time_point;

  explicit MadeUpClock(Time now) : now_(now) {}
  Time now() const { return now_; }
  void advance(std::chrono::nanoseconds time) {
    now_ = now_.load() + std::chrono::duration_cast<Time::duration>(time);
  }

 private:
  std::atomic<Time> now_;
};

struct MadeUpOptions {
  std::string run = "mnist";
  std::string model = "tutorial";
  std::string dataset = "mnist";
  std::int64_t epochs = 15;
  std::int64_t images = 60'000;
  std::int64_t batch_size = 128;
  int ranks = 4;
  int slow_rank = -1;      ///< takes 1.5 times as long as the others; -1: none
  double accuracy = 0.99;  ///< of the test, in the end
};

/// What it has told is on disk when a method returns: histories are read from there.
class MadeUpRun {
 public:
  /// Registers it.
  MadeUpRun(dist::Coordinator& coordinator, MadeUpClock& clock, const MadeUpOptions& options);

  /// Reports the next `count` optimizer steps, and the epochs that end with them.
  void take_steps(std::int64_t count);
  void finish(v1::RunState state, const std::string& reason);
  void note(v1::Severity severity, const std::string& text);

  std::int64_t step() const { return step_; }
  std::int64_t steps_per_epoch() const { return steps_per_epoch_; }
  std::int64_t steps() const { return steps_per_epoch_ * options_.epochs; }
  std::int64_t epoch() const { return (step_ + steps_per_epoch_ - 1) / steps_per_epoch_; }
  /// Of the epoch in progress, and of the last finished one.
  const v1::Sums& so_far() const { return so_far_; }
  const v1::EpochMetrics& last_epoch() const { return last_epoch_; }

 private:
  void add_step(v1::ReportProgressRequest& report);
  void report(v1::ReportProgressRequest& report);
  void finish_epoch();

  dist::Coordinator& coordinator_;
  MadeUpClock& clock_;
  const MadeUpOptions options_;
  std::int64_t steps_per_epoch_;
  std::int64_t step_ = 0;
  std::int64_t sequence_ = 0;
  v1::Sums so_far_;
  v1::EpochMetrics last_epoch_;
  std::chrono::nanoseconds epoch_time_{0};
  std::mt19937 random_{7};
};

}  // namespace convoy::testing
