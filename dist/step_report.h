// What each rank tells the others about a step; it rides in the headers of the gradient's buckets.
#pragma once

#include <cstdint>

#include "dist/evaluator.h"

namespace convoy::dist {

struct StepReport {
  std::int64_t images = 0;
  std::int64_t correct = 0;
  double loss_sum = 0.0;
  std::int64_t stops = 0;        ///< ranks that were asked to stop
  std::int64_t not_numbers = 0;  ///< ranks whose loss is no number
  /// Of the sender's step before, for this one is not over when reports leave; 0 in its first.
  /// Waiting is for other ranks' messages and for its own to leave, computing all the rest.
  std::int64_t computing_ns = 0;
  std::int64_t waiting_ns = 0;

  Metrics metrics() const { return {.images = images, .correct = correct, .loss_sum = loss_sum}; }
  StepReport& operator+=(const StepReport& other) {
    images += other.images;
    correct += other.correct;
    loss_sum += other.loss_sum;
    stops += other.stops;
    not_numbers += other.not_numbers;
    computing_ns += other.computing_ns;
    waiting_ns += other.waiting_ns;
    return *this;
  }
  friend StepReport operator+(StepReport a, const StepReport& b) { return a += b; }
};

}  // namespace convoy::dist
