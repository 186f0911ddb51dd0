// Where a worker's reports go: the five calls of workers, whatever carries them.
#pragma once

#include <span>

#include "convoy/v1/coordinator.pb.h"
#include "dist/coordinator/base/refusal.h"

namespace convoy::dist {

/// Every call returns when what it tells is on the coordinator's disk, and throws Refusal if not:
/// kUnavailable too if the answer takes too long. Thread safe.
class ReportSink {
 public:
  virtual ~ReportSink() = default;

  virtual v1::RegisterRunResponse register_run(const v1::RegisterRunRequest& request) = 0;
  virtual v1::ReportProgressResponse report_progress(
      std::span<const v1::ReportProgressRequest> reports) = 0;
  virtual v1::FinishEpochResponse finish_epoch(const v1::FinishEpochRequest& request) = 0;
  virtual v1::HeartbeatResponse heartbeat(const v1::HeartbeatRequest& request) = 0;
  virtual v1::FinishRunResponse finish_run(const v1::FinishRunRequest& request) = 0;

  /// Ends calls under way on other threads, which throw, and all later ones.
  virtual void cancel() = 0;
};

}  // namespace convoy::dist
