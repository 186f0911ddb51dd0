// Who keeps the others waiting. Pure: time comes in as `now`.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "dist/coordinator/base/times.h"

namespace convoy::dist {

struct Slow {
  std::int32_t rank = 0;
  double factor = 0.0;  ///< its computing time over the median
};

/// Each rank's time of computing, waiting taken out, over the median of all ranks (of an even
/// number, the lower one of the middle: of two ranks the slow one is compared with the other).
/// `computing` is each rank's average, in any unit. Empty if there are less than two ranks or the
/// median is 0.
std::vector<double> factors_of_median(std::span<const double> computing);

/// Names one rank at a time, and does not change its mind with every hiccup of a busy machine: a
/// rank is named when it has been slow all the time for kPatience, and no longer when it has not
/// been for as long. Another one takes its place that is slow compared even with it, for as long.
class StragglerWatch {
 public:
  /// A rank that computes for more than this many times the median of all is slow.
  static constexpr double kSlow = 1.2;
  /// One that was named is slow until it is below this.
  static constexpr double kNoLongerSlow = 1.1;
  static constexpr std::chrono::seconds kPatience{5};

  StragglerWatch() = default;
  explicit StragglerWatch(Slow named) : named_(named) {}

  /// How long each rank computed lately; nothing, or of less than two ranks, tells nothing. To be
  /// called about once a second.
  void look(std::span<const double> computing, Time now);
  /// With its factor of the last look.
  const std::optional<Slow>& named() const { return named_; }

 private:
  std::optional<Slow> named_;
  std::optional<Time> not_slow_since_;           // the one that is named
  std::vector<std::optional<Time>> slow_since_;  // the others
};

}  // namespace convoy::dist
