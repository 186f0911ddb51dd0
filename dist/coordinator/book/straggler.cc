#include "dist/coordinator/book/straggler.h"

#include <algorithm>
#include <vector>

namespace convoy::dist {

std::optional<Slowest> find_slowest(std::span<const double> computing) {
  if (computing.size() < 2) {
    return {};
  }
  const auto slowest = std::ranges::max_element(computing);
  std::vector<double> sorted(computing.begin(), computing.end());
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>((sorted.size() - 1) / 2);
  std::ranges::nth_element(sorted, middle);
  if (*middle <= 0.0) {
    return {};
  }
  return Slowest{.rank = static_cast<std::int32_t>(slowest - computing.begin()),
                 .factor = *slowest / *middle};
}

}  // namespace convoy::dist
