// What a coordinator keeps and takes.
#pragma once

#include <chrono>
#include <cstdint>

namespace convoy::dist {

/// Beyond these, requests are refused or the oldest is forgotten.
struct CoordinatorLimits {
  std::int64_t runs = 10'000;               ///< the oldest ended ones are forgotten first
  std::int64_t steps_per_run = 1'000'000;   ///< in the history; the oldest are forgotten first
  std::int64_t events = 100'000;            ///< of all runs; likewise
  std::int32_t ranks_per_run = 10'000;      ///< more are refused
  std::int64_t ranks = 200'000;             ///< of all runs; more are refused
  std::int64_t open_steps = 10'000;         ///< per run: reported by some ranks only; likewise
  std::chrono::hours keep_ended{24 * 365};  ///< ended runs are forgotten after this
};

}  // namespace convoy::dist
