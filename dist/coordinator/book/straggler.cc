#include "dist/coordinator/book/straggler.h"

#include <algorithm>

namespace convoy::dist {
namespace {

// Whether something has been so for long enough; `since` remembers from when on.
bool lasts(std::optional<Time>& since, bool is_so, Time now) {
  if (!is_so) {
    since.reset();
    return false;
  }
  since = since.value_or(now);
  return now - *since >= StragglerWatch::kPatience;
}

}  // namespace

std::vector<double> factors_of_median(std::span<const double> computing) {
  if (computing.size() < 2) {
    return {};
  }
  std::vector<double> factors(computing.begin(), computing.end());
  const auto middle = factors.begin() + static_cast<std::ptrdiff_t>((factors.size() - 1) / 2);
  std::ranges::nth_element(factors, middle);
  const double median = *middle;
  if (median <= 0.0) {
    return {};
  }
  std::ranges::transform(computing, factors.begin(), [&](double time) { return time / median; });
  return factors;
}

void StragglerWatch::look(std::span<const double> computing, Time now) {
  const std::vector<double> factors = factors_of_median(computing);
  if (factors.empty()) {
    return;
  }
  slow_since_.resize(factors.size());
  double compared_with = 1.0;
  if (named_) {
    named_->factor = factors.at(static_cast<std::size_t>(named_->rank));
    if (lasts(not_slow_since_, named_->factor < kNoLongerSlow, now)) {
      named_.reset();
      not_slow_since_.reset();
    } else {
      compared_with = std::max(compared_with, named_->factor);
    }
  }
  std::optional<Slow> slowest;
  for (std::size_t rank = 0; rank < factors.size(); ++rank) {
    const double factor = factors[rank];
    if (lasts(slow_since_[rank], factor > kSlow * compared_with, now) &&
        (!slowest || factor > slowest->factor)) {
      slowest = {.rank = static_cast<std::int32_t>(rank), .factor = factor};
    }
  }
  if (slowest) {
    named_ = slowest;
    not_slow_since_.reset();
    std::ranges::fill(slow_since_, std::nullopt);  // the others are compared with it now
  }
}

}  // namespace convoy::dist
