// How often something may happen: a bucket that fills at a steady rate and is emptied by use.
#pragma once

#include <algorithm>
#include <chrono>
#include <mutex>
#include <optional>

namespace convoy::dist {

/// Thread safe. Time is given, and may stand still; back in time counts as standing still.
class RateLimit {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// `per_second` on average, `burst` at once after a pause; at first the bucket is full.
  RateLimit(double per_second, double burst)
      : per_second_(per_second), burst_(burst), filled_(burst) {}

  /// Whether it may happen now; if so, it has.
  bool take(Time now) {
    const std::lock_guard lock(mutex_);
    if (!last_ || now > *last_) {
      const double seconds = last_ ? std::chrono::duration<double>(now - *last_).count() : 0;
      filled_ = std::min(burst_, filled_ + seconds * per_second_);
      last_ = now;
    }
    if (filled_ < 1) {
      return false;
    }
    filled_ -= 1;
    return true;
  }

 private:
  const double per_second_;
  const double burst_;
  std::mutex mutex_;
  double filled_;
  std::optional<Time> last_ = {};
};

}  // namespace convoy::dist
