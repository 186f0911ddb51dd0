#include "core/optim/clip.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numeric>

#include "core/base/check.h"
#include "core/base/parallel.h"
#include "core/tensor/pool_array.h"

namespace convoy::optim {
namespace {

// Lanes are added up separately, so that the compiler may put them in vector registers without
// changing the order of any sum.
constexpr std::size_t kLanes = 16;

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

std::size_t norm_blocks(std::size_t elements) {
  return (elements + kNormBlock - 1) / kNormBlock;
}

void sums_of_squares(std::span<const float> values, std::span<double> sums) {
  check(sums.size() == norm_blocks(values.size()), "{} sums for {} values", sums.size(),
        values.size());
  parallel_for(
      static_cast<std::int64_t>(sums.size()), [&](std::int64_t first, std::int64_t last, int) {
        for (auto block = static_cast<std::size_t>(first); std::cmp_less(block, last); ++block) {
          sums[block] = sum_of_squares(values.subspan(
              block * kNormBlock,
              std::min<std::size_t>(kNormBlock, values.size() - block * kNormBlock)));
        }
      });
}

double l2_norm(std::span<const float> values) {
  PoolArray<double> sums(static_cast<std::int64_t>(norm_blocks(values.size())));
  sums_of_squares(values, sums.values());
  return l2_norm_of(sums.values());
}

double l2_norm_of(std::span<const double> sums) {
  return std::sqrt(std::accumulate(sums.begin(), sums.end(), 0.0));
}

double clip_factor(double norm, double max_norm) {
  check(max_norm > 0.0, "clipping to a gradient norm of {}: it must be positive", max_norm);
  const double factor = max_norm / (norm + 1e-6);
  return factor > 1.0 ? 1.0 : factor;
}

}  // namespace convoy::optim
