#include "core/optim/clip.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <numeric>

#include "core/base/check.h"
#include "core/base/parallel.h"

namespace convoy::optim {
namespace {

// Lanes are added up separately, so that the compiler may put them in vector registers without
// changing the order of any sum.
constexpr std::size_t kLanes = 16;
constexpr std::size_t kPieces = 64;

double sum_of_squares(std::span<const float> values) {
  std::array<double, kLanes> sums{};
  std::size_t i = 0;
  for (; i + kLanes <= values.size(); i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const double value = values[i + lane];
      sums[lane] += value * value;
    }
  }
  for (; i < values.size(); ++i) {
    const double value = values[i];
    sums[i % kLanes] += value * value;
  }
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

}  // namespace

double l2_norm(std::span<const float> values) {
  std::array<double, kPieces> sums{};
  const std::size_t lines = values.size() / kLanes;
  const auto bound = [&](std::size_t piece) {
    return piece == kPieces ? values.size() : lines * piece / kPieces * kLanes;
  };
  parallel_for(kPieces, [&](std::int64_t first, std::int64_t last, int) {
    for (auto piece = static_cast<std::size_t>(first); std::cmp_less(piece, last); ++piece) {
      sums[piece] = sum_of_squares(values.subspan(bound(piece), bound(piece + 1) - bound(piece)));
    }
  });
  return std::sqrt(std::accumulate(sums.begin(), sums.end(), 0.0));
}

double clip_factor(double norm, double max_norm) {
  check(max_norm > 0.0, "clipping to a gradient norm of {}: it must be positive", max_norm);
  const double factor = max_norm / (norm + 1e-6);
  return factor > 1.0 ? 1.0 : factor;
}

}  // namespace convoy::optim
