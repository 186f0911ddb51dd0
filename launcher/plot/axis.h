// One axis of a chart: which values to mark, how to write them, where they lie.
#pragma once

#include <string>
#include <vector>

namespace convoy::plot {

struct Axis {
  double low = 0;
  double high = 1;
  double step = 1;  ///< between ticks: 1, 2 or 5 times a power of ten

  /// The multiples of `step` within [low, high].
  std::vector<double> ticks() const;
  /// With as many decimals as the step needs: "0.05".
  std::string label(double tick) const;
  /// Where `value` lies between low (0) and high (1).
  double position(double value) const { return (value - low) / (high - low); }
};

/// An axis that covers [low, high] and begins and ends on a tick, with at most `max_ticks` of them
/// (at least 3). A range without extent is widened around its value.
/// REQUIRES: finite, low <= high.
Axis nice_axis(double low, double high, int max_ticks);

/// The same for counts such as epochs: ticks are whole numbers, and the axis is exactly
/// [low, high], half a unit more on either side if the two are equal.
Axis count_axis(int low, int high, int max_ticks);

}  // namespace convoy::plot
