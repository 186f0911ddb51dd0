// Which way of overlapping is in use. If none was asked for, the first steps of training try all in
// turn, and the fastest stays.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <vector>

#include "dist/communicator.h"
#include "dist/reduce_options.h"

namespace convoy::dist {

/// Not thread safe.
class OverlapChoice {
 public:
  explicit OverlapChoice(Overlap wanted) : chosen_(wanted) {}

  /// kAuto while that is being tried out.
  Overlap chosen() const { return chosen_; }

  /// The way of the step that begins now. All ranks ask at each step; in that which ends the trials
  /// it is a collective, so that all choose the same.
  Overlap begin_step(Communicator& communicator);

 private:
  using Clock = std::chrono::steady_clock;

  void choose(Communicator& communicator);

  static constexpr std::array kWays = {Overlap::kOff, Overlap::kPoll, Overlap::kThread};

  Overlap chosen_;
  std::size_t way_ = 0;                                   // of the step at hand
  std::array<std::vector<double>, kWays.size()> trials_;  // seconds of a step, by way
  std::int64_t steps_tried_ = 0;
  Clock::time_point began_;
};

}  // namespace convoy::dist
