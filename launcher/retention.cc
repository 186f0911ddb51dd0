#include "launcher/retention.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <tuple>

namespace convoy::launcher {
namespace {

double or_worst(double value, double worst) {
  return std::isnan(value) ? worst : value;
}

// Greater is better.
auto rank_of(const KeptCheckpoint& checkpoint) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  return std::tuple(or_worst(checkpoint.score->accuracy, -kInfinity),
                    -or_worst(checkpoint.score->loss, kInfinity), checkpoint.step);
}

}  // namespace

std::vector<std::int64_t> superfluous(std::span<const KeptCheckpoint> checkpoints,
                                      const Retention& retention) {
  std::set<std::int64_t> steps;
  std::vector<KeptCheckpoint> scored;
  for (const KeptCheckpoint& checkpoint : checkpoints) {
    steps.insert(checkpoint.step);
    if (checkpoint.score) {
      scored.push_back(checkpoint);
    }
  }
  for (int i = 0; i < std::max(retention.last, 1) && !steps.empty(); ++i) {
    steps.erase(std::prev(steps.end()));
  }
  std::sort(scored.begin(), scored.end(), [](const KeptCheckpoint& a, const KeptCheckpoint& b) {
    return rank_of(a) > rank_of(b);
  });
  const auto best = std::min(scored.size(), static_cast<std::size_t>(std::max(retention.best, 0)));
  for (const KeptCheckpoint& checkpoint : std::span(scored).first(best)) {
    steps.erase(checkpoint.step);
  }
  return {steps.begin(), steps.end()};
}

}  // namespace convoy::launcher
