#include "launcher/plot/axis.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace convoy::plot {
namespace {

// The smallest 1, 2 or 5 times a power of ten that is at least `least`.
double nice_step(double least) {
  const double power = std::pow(10, std::floor(std::log10(least)));
  for (const double digit : {1.0, 2.0, 5.0}) {
    // A little leeway: a division that should give 2 may give 2.0000000000000004.
    if (digit * power >= least * (1 - 1e-9)) {
      return digit * power;
    }
  }
  return 10 * power;
}

}  // namespace

std::vector<double> Axis::ticks() const {
  std::vector<double> ticks;
  const double leeway = 1e-6;
  const double first = std::ceil(low / step - leeway);
  const double last = std::floor(high / step + leeway);
  for (double i = first; i <= last; ++i) {
    ticks.push_back(i * step + 0.0);  // turns -0 into 0
  }
  return ticks;
}

std::string Axis::label(double tick) const {
  if (step >= 1e6 || step < 1e-6) {
    return fmt::format("{:.6g}", tick);
  }
  const int decimals = std::max(0, static_cast<int>(std::ceil(-std::log10(step) - 1e-9)));
  return fmt::format("{:.{}f}", tick, decimals);
}

Axis nice_axis(double low, double high, int max_ticks) {
  // Below this extent, neighbouring ticks would be one and the same double.
  const double least_extent = 1e-9 * std::max({std::abs(low), std::abs(high), 1e-9});
  if (high - low < least_extent) {
    const double margin = low == 0 ? 0.5 : std::abs(low) / 2;
    low -= margin;
    high += margin;
  }
  // Rounding the ends outwards may add a tick or two, so the step may have to grow.
  for (double least = (high - low) / (max_ticks - 1);; least *= 1.5) {
    const double step = nice_step(least);
    const double first = std::floor(low / step + 1e-9);
    const double last = std::ceil(high / step - 1e-9);
    if (last - first + 1 <= max_ticks) {
      return {.low = first * step, .high = last * step, .step = step};
    }
  }
}

Axis count_axis(int low, int high, int max_ticks) {
  if (low == high) {
    return {.low = low - 0.5, .high = high + 0.5, .step = 1};
  }
  const double step = nice_step(static_cast<double>(high - low) / (max_ticks - 1));
  return {.low = static_cast<double>(low),
          .high = static_cast<double>(high),
          .step = std::max(1.0, step)};
}

}  // namespace convoy::plot
