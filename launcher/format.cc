#include "launcher/format.h"

#include <fmt/format.h>

#include <cmath>

namespace convoy::launcher {

std::string format_percent(double fraction) {
  return std::isfinite(fraction) ? fmt::format("{:.2f} %", 100 * fraction)
                                 : fmt::format("{}", std::abs(fraction));
}

std::string format_loss(double loss) {
  const double size = std::abs(loss);
  if (!std::isfinite(loss)) {
    return std::isnan(loss) ? "nan" : fmt::format("{}", loss);
  }
  if (size >= 99999.5 || (size > 0 && size < 0.00095)) {
    return fmt::format("{:.1e}", loss);
  }
  const int decimals = size < 9.99995 ? 4 : size < 99.9995 ? 3 : size < 999.995 ? 2 : 1;
  return fmt::format("{:.{}f}", loss, decimals);
}

std::string format_count(std::int64_t count) {
  std::string text = fmt::format("{}", count);
  const std::ptrdiff_t first_digit = count < 0 ? 1 : 0;
  for (auto i = static_cast<std::ptrdiff_t>(text.size()) - 3; i > first_digit; i -= 3) {
    text.insert(static_cast<std::size_t>(i), 1, ',');
  }
  return text;
}

std::string format_rate(double per_second) {
  // Beyond this no machine gets, and the cast below would be undefined.
  if (!(std::abs(per_second) < 1e15)) {
    return "?";
  }
  return per_second < 9.95 ? fmt::format("{:.1f}", per_second)
                           : format_count(std::llround(per_second));
}

std::string format_duration(std::chrono::duration<double> duration) {
  const double seconds = duration.count();
  if (!(seconds >= 0 && seconds < 1e12)) {
    return "?";
  }
  if (seconds < 9.95) {
    return fmt::format("{:.1f}s", seconds);
  }
  const long long whole = std::llround(seconds);
  if (whole < 60) {
    return fmt::format("{}s", whole);
  }
  if (whole < 3600) {
    return fmt::format("{}m{:02}s", whole / 60, whole % 60);
  }
  if (whole < 86400) {
    return fmt::format("{}h{:02}m", whole / 3600, whole / 60 % 60);
  }
  return fmt::format("{}d{:02}h", whole / 86400, whole / 3600 % 24);
}

}  // namespace convoy::launcher
