// Who keeps the others waiting.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace convoy::dist {

/// A rank that computes for more than this many times the median of all stands out.
constexpr double kStragglerFactor = 1.2;

struct Slowest {
  std::int32_t rank = 0;
  double factor = 0.0;  ///< its computing time over the median
};

/// The rank that computes longest, waiting taken out, and how much longer than the median of all
/// ranks (of an even number, the lower one of the middle: of two ranks the slow one is compared
/// with the other). `computing` is each rank's average, in any unit. Nothing if there are less than
/// two ranks or the median is 0.
std::optional<Slowest> find_slowest(std::span<const double> computing);

}  // namespace convoy::dist
