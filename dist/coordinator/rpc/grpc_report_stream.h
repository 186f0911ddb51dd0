// One ReportProgress stream, on the server. Only for dist/coordinator/rpc/grpc_*.
#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <chrono>
#include <exception>
#include <memory>
#include <mutex>

#include "dist/coordinator/coordinator.h"
#include "dist/coordinator/rpc/grpc_gate.h"
#include "dist/coordinator/rpc/grpc_stream_keeper.h"

namespace convoy::dist {

/// Reads ahead of the disk by a bounded number of reports, and answers when all are on it. Holds
/// itself until it is done. No lock is held while gRPC is called, for that may call back.
class ReportStream final : public grpc::ServerReadReactor<grpc::ByteBuffer>,
                           public KeptStream,
                           public std::enable_shared_from_this<ReportStream> {
 public:
  struct Parts {
    Coordinator& coordinator;
    Gate& gate;
    StreamKeeper& keeper;
    std::chrono::seconds idle;
  };

  ReportStream(const Parts& parts, grpc::ByteBuffer* answer)
      : parts_(parts), answer_(answer), last_heard_(std::chrono::steady_clock::now()) {}
  void start();

  void OnReadDone(bool ok) override;
  void OnDone() override;
  Time tend(Time now) override;
  void stop() override;

 private:
  void take_report();
  void kept(const std::exception_ptr& error);
  void fail(grpc::Status status);
  void go_on();

  const Parts parts_;
  grpc::ByteBuffer* answer_;              // gRPC's; ours to write until Finish
  grpc::ByteBuffer bytes_;                // gRPC's while reading_
  std::shared_ptr<ReportStream> itself_;  // until OnDone
  bool first_ = true;                     // no report was read yet; one read at a time uses it

  std::mutex mutex_;  // for all below
  v1::ReportProgressResponse last_answer_;
  grpc::Status status_;
  Time last_heard_;
  int pending_ = 0;       // reports that are not on disk
  bool reading_ = false;  // or taking what was read
  bool closed_ = false;   // by the caller
  bool finished_ = false;
};

}  // namespace convoy::dist
