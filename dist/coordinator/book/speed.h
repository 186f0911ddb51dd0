// How fast training is: averages over the last steps, of a rank or of all together.
#pragma once

#include <array>
#include <cstdint>

#include "dist/coordinator/base/times.h"

namespace convoy::dist {

/// Steps that speeds are averages of.
constexpr std::int64_t kSpeedWindow = 20;

/// The sum of the last kSpeedWindow values.
class WindowSum {
 public:
  void add(std::int64_t value) {
    std::int64_t& slot = values_[static_cast<std::size_t>(next_)];
    sum_ += value - (count_ == kSpeedWindow ? slot : 0);
    slot = value;
    next_ = (next_ + 1) % kSpeedWindow;
    count_ += count_ < kSpeedWindow ? 1 : 0;
  }
  std::int64_t sum() const { return sum_; }
  std::int64_t count() const { return count_; }
  double average() const {
    return count_ == 0 ? 0.0 : static_cast<double>(sum_) / static_cast<double>(count_);
  }

 private:
  std::array<std::int64_t, kSpeedWindow> values_ = {};
  std::int64_t sum_ = 0;
  std::int64_t next_ = 0;
  std::int64_t count_ = 0;
};

/// Images and time of the last steps, of a rank or of all together.
class Speed {
 public:
  void add(std::int64_t images, nanoseconds duration) {
    images_.add(images);
    duration_.add(duration.count());
  }
  /// 0 before there are steps that took time.
  double images_per_second() const {
    return duration_.sum() <= 0
               ? 0.0
               : static_cast<double>(images_.sum()) * 1e9 / static_cast<double>(duration_.sum());
  }
  nanoseconds average_duration() const {
    return nanoseconds(static_cast<std::int64_t>(duration_.average()));
  }

 private:
  WindowSum images_;
  WindowSum duration_;
};

}  // namespace convoy::dist
