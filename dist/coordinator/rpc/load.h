// Makes up training runs that report to a coordinator, and measures how it bears them. For
// `convoy bench coordinator`. Implemented in grpc_load.cc.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

#include "dist/coordinator/net/endpoint.h"

namespace convoy::dist {

struct Load {
  Endpoint endpoint = {};
  std::string run = "bench";  ///< names of runs begin with it
  int workers = 1;            ///< each a run of one rank, with a connection of its own
  /// Each worker reports one step this often, all evenly spread; 0: again as soon as the last
  /// report was answered.
  std::chrono::milliseconds period{1000};
  int reports_per_call = 1;  ///< in one stream
  std::chrono::seconds duration{10};
};

struct LoadFailure {
  std::int64_t calls = 0;
  std::string example = {};  ///< what the first of them was answered
};

struct LoadResult {
  double reports_per_second = 0.0;  ///< answered, hence on disk
  /// Of calls: from when a call was due to its answer, so that waiting in line counts.
  double p50_ms = 0.0;
  double p99_ms = 0.0;
  double max_ms = 0.0;
  std::int64_t calls = 0;
  std::int64_t failed = 0;
  std::map<std::string, LoadFailure> failures = {};  ///< by the name of their status code
};

/// Blocks for `duration` and as long as registering takes. Throws Refusal if the coordinator takes
/// no runs.
LoadResult generate_load(const Load& load);

}  // namespace convoy::dist
