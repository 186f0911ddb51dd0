// The coordinator in one process: run_book.h decides, store.h keeps, and this brings the two
// together for many threads. No network: grpc_server.cc and http_server.cc are shells over it, and
// `convoy status` reads a finished run's state with it.
//
// What is told becomes visible at once and durable soon: changes of many callers are committed
// together, and each caller is told when its own is on disk.
#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "convoy/v1/coordinator.pb.h"
#include "dist/coordinator/base/refusal.h"
#include "dist/coordinator/book/limits.h"

namespace convoy::dist {

/// Thread safe.
class Coordinator {
 public:
  struct Options {
    /// SQLite; made if missing. Held locked against a second coordinator.
    std::filesystem::path database = {};
    CoordinatorLimits limits = {};
    /// Only answers questions: takes no lock, writes nothing; the file must exist.
    bool read_only = false;
    std::function<std::chrono::system_clock::time_point()> clock = std::chrono::system_clock::now;
  };

  /// Called exactly once for a request that was not refused: with nullptr when its change is on
  /// disk, with what went wrong if it could not be written. On the committing thread; must not
  /// block.
  using Done = std::function<void(std::exception_ptr)>;

  /// Throws Error, naming the file, if it is no database of convoy's, damaged, or held by another.
  explicit Coordinator(Options options);
  /// Commits what was told before.
  ~Coordinator();
  Coordinator(const Coordinator&) = delete;
  Coordinator& operator=(const Coordinator&) = delete;

  // Telling. Each throws Refusal, without calling `done`, or returns what to answer after `done`.
  v1::RegisterRunResponse register_run(const v1::RegisterRunRequest& request, Done done);
  v1::ReportProgressResponse report_progress(const v1::ReportProgressRequest& request, Done done);
  v1::FinishEpochResponse finish_epoch(const v1::FinishEpochRequest& request, Done done);
  v1::HeartbeatResponse heartbeat(const v1::HeartbeatRequest& request, Done done);
  v1::FinishRunResponse finish_run(const v1::FinishRunRequest& request, Done done);
  v1::Run stop_run(const v1::StopRunRequest& request, Done done);

  // Asking. Each throws Refusal.
  v1::Run get_run(const v1::GetRunRequest& request) const;
  v1::ListRunsResponse list_runs(const v1::ListRunsRequest& request) const;
  v1::ListStepsResponse list_steps(const v1::ListStepsRequest& request) const;
  v1::ListEpochsResponse list_epochs(const v1::ListEpochsRequest& request) const;
  v1::ListRanksResponse list_ranks(const v1::ListRanksRequest& request) const;
  v1::ListEventsResponse list_events(const v1::ListEventsRequest& request) const;

  /// Calls `changed` with a run's name soon after it changed, until the result is destroyed, which
  /// waits for a call that is under way. On a thread of the coordinator; must not block.
  class Subscription;
  std::unique_ptr<Subscription> subscribe(std::function<void(const std::string& run)> changed);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

class Coordinator::Subscription {
 public:
  virtual ~Subscription() = default;
};

}  // namespace convoy::dist
