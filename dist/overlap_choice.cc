#include "dist/overlap_choice.h"

#include <algorithm>
#include <span>

#include "dist/collectives.h"

namespace convoy::dist {
namespace {

constexpr std::int64_t kWarmUpSteps = 5;
constexpr std::size_t kTrials = 8;    // of each way
constexpr double kWorthwhile = 0.97;  // of the time without overlap

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

Overlap OverlapChoice::begin_step(Communicator& communicator) {
  if (chosen_ != Overlap::kAuto) {
    return chosen_;
  }
  const auto now = Clock::now();
  if (steps_tried_ > kWarmUpSteps) {
    trials_[way_].push_back(std::chrono::duration<double>(now - began_).count());
  }
  began_ = now;
  // In turns, so that a busy moment of the machine falls on all alike.
  way_ = static_cast<std::size_t>(steps_tried_++) % kWays.size();
  if (std::ranges::all_of(trials_, [](const auto& trials) { return trials.size() >= kTrials; })) {
    choose(communicator);
    return chosen_;
  }
  return kWays[way_];
}

void OverlapChoice::choose(Communicator& communicator) {
  std::array<double, kWays.size()> seconds{};
  std::ranges::transform(trials_, seconds.begin(), median);
  all_reduce_sum(communicator, std::span(seconds));
  const auto fastest = std::ranges::min_element(seconds) - seconds.begin();
  const bool pays = seconds[static_cast<std::size_t>(fastest)] < kWorthwhile * seconds[0];
  chosen_ = kWays[pays ? static_cast<std::size_t>(fastest) : 0];
}

}  // namespace convoy::dist
