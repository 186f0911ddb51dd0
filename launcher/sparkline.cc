#include "launcher/sparkline.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

namespace convoy::launcher {
namespace {

constexpr std::array<const char*, 8> kBlocks = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
constexpr std::array<const char*, 5> kCharacters = {"_", ".", "-", "'", "^"};

// The average of those that are finite; NaN without any.
double average(std::span<const double> values) {
  double sum = 0;
  int count = 0;
  for (const double value : values) {
    sum += std::isfinite(value) ? value : 0;
    count += std::isfinite(value) ? 1 : 0;
  }
  return count == 0 ? std::numeric_limits<double>::quiet_NaN() : sum / count;
}

std::vector<double> fit(std::span<const double> values, std::size_t width) {
  const std::size_t points = std::min(values.size(), width);
  std::vector<double> fitted;
  for (std::size_t i = 0; i < points; ++i) {
    const std::size_t begin = i * values.size() / points;
    fitted.push_back(average(values.subspan(begin, (i + 1) * values.size() / points - begin)));
  }
  return fitted;
}

}  // namespace

std::string sparkline(std::span<const double> values, int width, bool unicode) {
  const std::vector<double> points = fit(values, static_cast<std::size_t>(std::max(0, width)));
  double least = std::numeric_limits<double>::infinity();
  double greatest = -least;
  for (const double point : points) {
    if (std::isfinite(point)) {
      least = std::min(least, point);
      greatest = std::max(greatest, point);
    }
  }
  const std::span<const char* const> levels =
      unicode ? std::span<const char* const>(kBlocks) : std::span<const char* const>(kCharacters);
  // Halves, for the difference of two finite numbers may not be one.
  const double range = greatest / 2 - least / 2;
  std::string line;
  for (const double point : points) {
    if (!std::isfinite(point)) {
      line += ' ';
      continue;
    }
    const double share = range > 0 ? (point / 2 - least / 2) / range : 0.0;
    line += levels[static_cast<std::size_t>(
        std::lround(share * static_cast<double>(levels.size() - 1)))];
  }
  return line;
}

}  // namespace convoy::launcher
