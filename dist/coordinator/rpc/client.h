// The client's side of convoy.v1.CoordinatorService, for workers and for people's commands.
// Implemented in grpc_client.cc.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <span>

#include "convoy/v1/coordinator.pb.h"
#include "dist/coordinator/base/refusal.h"
#include "dist/coordinator/net/endpoint.h"
#include "dist/coordinator/worker/report_sink.h"

namespace convoy::dist {

/// Every call blocks for at most `timeout` and throws Refusal; what the network did is
/// Kind::kUnavailable, with the address in the text. Thread safe.
class CoordinatorClient : public ReportSink {
 public:
  struct Options {
    Endpoint endpoint = {};
    std::chrono::milliseconds timeout{5000};
  };

  /// Connects with the first call. Throws Error for certificates that cannot be read.
  explicit CoordinatorClient(const Options& options);
  ~CoordinatorClient() override;
  CoordinatorClient(const CoordinatorClient&) = delete;
  CoordinatorClient& operator=(const CoordinatorClient&) = delete;

  v1::RegisterRunResponse register_run(const v1::RegisterRunRequest& request) override;
  /// One stream with these reports.
  v1::ReportProgressResponse report_progress(
      std::span<const v1::ReportProgressRequest> reports) override;
  v1::FinishEpochResponse finish_epoch(const v1::FinishEpochRequest& request) override;
  v1::HeartbeatResponse heartbeat(const v1::HeartbeatRequest& request) override;
  v1::FinishRunResponse finish_run(const v1::FinishRunRequest& request) override;

  v1::Run get_run(const v1::GetRunRequest& request);
  v1::ListRunsResponse list_runs(const v1::ListRunsRequest& request);
  v1::ListStepsResponse list_steps(const v1::ListStepsRequest& request);
  v1::ListEpochsResponse list_epochs(const v1::ListEpochsRequest& request);
  v1::ListRanksResponse list_ranks(const v1::ListRanksRequest& request);
  v1::ListEventsResponse list_events(const v1::ListEventsRequest& request);
  v1::Run stop_run(const v1::StopRunRequest& request);
  v1::SetLogLevelResponse set_log_level(const v1::SetLogLevelRequest& request);

  /// Calls `on_run` for each answer until it returns false or the run has ended; not bounded by
  /// `timeout` but after that long without a connection.
  void watch_run(const v1::WatchRunRequest& request,
                 const std::function<bool(const v1::Run&)>& on_run);

  /// Ends calls under way on other threads, which throw, and all later ones.
  void cancel() override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace convoy::dist
