// One WatchRun stream, on the server. Only for dist/coordinator/rpc/grpc_*.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>

#include "dist/coordinator/coordinator.h"
#include "dist/coordinator/rpc/grpc_stream_keeper.h"

namespace convoy::dist {

/// Sends the run when it has changed, not too often, and one message at a time: a client that reads
/// slowly sees fewer, newer ones. Holds itself until it is done. No lock is held while gRPC is
/// called, for that may call back.
class Watcher final : public grpc::ServerWriteReactor<v1::WatchRunResponse>,
                      public KeptStream,
                      public std::enable_shared_from_this<Watcher> {
 public:
  struct Parts {
    Coordinator& coordinator;
    StreamKeeper& keeper;
  };

  /// Throws Refusal for a request that cannot be meant.
  Watcher(const Parts& parts, const v1::WatchRunRequest& request);
  /// The keeper does the rest.
  void start() { itself_ = shared_from_this(); }
  /// In place of the rest: gRPC will never see it.
  void abandon() { itself_.reset(); }

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;
  Time tend(Time now) override;
  bool run_changed(const std::string& run) override;
  void stop() override;

 private:
  void finish(grpc::Status status);

  const Parts parts_;
  v1::GetRunRequest question_;
  std::chrono::steady_clock::duration min_interval_;
  v1::WatchRunResponse response_;    // gRPC's while writing_
  std::shared_ptr<Watcher> itself_;  // until OnDone
  std::atomic<bool> changed_{true};

  std::mutex mutex_;  // for all below
  Time next_ = {};
  grpc::Status status_;  // to finish with, once writing is over
  bool ending_ = false;
  bool writing_ = false;
  bool finished_ = false;
};

}  // namespace convoy::dist
