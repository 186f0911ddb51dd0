// When to try again while the coordinator takes no reports, and what people are told of that. No
// threads and no clock.
#pragma once

#include <chrono>
#include <random>
#include <string>

namespace convoy::dist {

/// Not thread safe.
class BackOff {
 public:
  using Time = std::chrono::steady_clock::time_point;

  struct Options {
    std::chrono::milliseconds first{100};
    std::chrono::milliseconds longest{5000};
    std::string coordinator = "the coordinator";  ///< for notes: its address
  };

  explicit BackOff(Options options) : options_(std::move(options)) {}

  // Each returns what people should know, "" if nothing.

  std::string answered();
  /// `refused`: it is there, but takes nothing. Of `reason` the first line is told.
  std::string failed(bool refused, const std::string& reason, Time now);

  /// Whether the last attempt failed.
  bool waiting() const { return failures_ > 0; }
  /// Not before. Long ago if nothing failed.
  Time retry_at() const { return retry_at_; }

 private:
  const Options options_;
  int failures_ = 0;
  Time since_;
  Time retry_at_;
  bool told_ = false;
  std::minstd_rand random_{std::random_device{}()};
  std::uniform_real_distribution<double> jitter_{0.5, 1.0};  // workers shall not come all at once
};

}  // namespace convoy::dist
