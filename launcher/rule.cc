#include "launcher/rule.h"

#include <fmt/format.h>

#include <cmath>

namespace convoy::launcher {

bool accepts(const v1::Rule& rule, double value) {
  return std::isfinite(value) && (!rule.has_min() || value >= rule.min()) &&
         (!rule.has_max() || value <= rule.max()) && (!rule.has_below() || value < rule.below());
}

std::string range_text(const v1::Rule& rule) {
  if (rule.has_below()) {
    return fmt::format("at least {} and below {}", rule.min(), rule.below());
  }
  if (rule.has_max()) {
    return fmt::format("{} to {}", rule.min(), rule.max());
  }
  return fmt::format("at least {}", rule.min());
}

}  // namespace convoy::launcher
