// What one epoch of training came to.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>

namespace convoy::launcher {

/// Losses are averages over images, accuracies fractions of 1. A NaN accuracy means that there was
/// no such measurement; a NaN loss beside an accuracy means that training diverged.
struct EpochMetrics {
  static constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

  int epoch = 0;  ///< counts from 1
  double train_loss = kNone;
  double train_accuracy = kNone;
  double test_loss = kNone;
  double test_accuracy = kNone;
  double images_per_second = 0;              ///< of the training steps alone
  std::chrono::duration<double> seconds{0};  ///< training and test
};

}  // namespace convoy::launcher
