#include "dist/coordinator/rpc/grpc_report_stream.h"

#include <grpcpp/impl/codegen/proto_utils.h>

#include <utility>

#include "dist/coordinator/rpc/grpc_status.h"

namespace convoy::dist {
namespace {

// Enough to fill a group commit, little enough to hold in memory.
constexpr int kMaxPending = 64;

}  // namespace

void ReportStream::start() {
  itself_ = shared_from_this();
  go_on();
}

void ReportStream::OnReadDone(bool ok) {
  const std::shared_ptr<ReportStream> alive = shared_from_this();
  {
    const std::lock_guard lock(mutex_);
    last_heard_ = std::chrono::steady_clock::now();
    closed_ = closed_ || !ok;
    if (finished_) {
      return;
    }
  }
  if (ok) {
    take_report();
  }
  {
    // Not before the report is taken: kept() would let the next one overtake it.
    const std::lock_guard lock(mutex_);
    reading_ = false;
  }
  go_on();
}

void ReportStream::take_report() {
  // The first came with the call, which was let in.
  if (!std::exchange(first_, false)) {
    if (grpc::Status status = parts_.gate.admit_message(); !status.ok()) {
      fail(std::move(status));
      return;
    }
  }
  v1::ReportProgressRequest request;
  if (!grpc::SerializationTraits<v1::ReportProgressRequest>::Deserialize(&bytes_, &request).ok()) {
    fail({grpc::StatusCode::INVALID_ARGUMENT, "a report is no ReportProgressRequest"});
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    ++pending_;
  }
  try {
    v1::ReportProgressResponse answer = parts_.coordinator.report_progress(
        request,
        [alive = shared_from_this()](const std::exception_ptr& error) { alive->kept(error); });
    const std::lock_guard lock(mutex_);
    last_answer_ = std::move(answer);
  } catch (...) {
    {
      const std::lock_guard lock(mutex_);
      --pending_;
    }
    fail(to_status(std::current_exception()));
  }
}

void ReportStream::kept(const std::exception_ptr& error) {
  {
    const std::lock_guard lock(mutex_);
    --pending_;
  }
  if (error) {
    fail(to_status(error));
  }
  go_on();
}

void ReportStream::fail(grpc::Status status) {
  const std::lock_guard lock(mutex_);
  if (status_.ok()) {
    status_ = std::move(status);
  }
}

void ReportStream::go_on() {
  grpc::Status status;
  bool finish = false;
  {
    const std::lock_guard lock(mutex_);
    if (finished_) {
      return;
    }
    if (!status_.ok() || (closed_ && pending_ == 0)) {
      finished_ = true;
      finish = true;
      status = status_;
      bool own = false;
      grpc::SerializationTraits<v1::ReportProgressResponse>::Serialize(last_answer_, answer_, &own);
    } else if (closed_ || reading_ || pending_ >= kMaxPending) {
      return;
    } else {
      reading_ = true;
    }
  }
  if (finish) {
    Finish(std::move(status));
  } else {
    StartRead(&bytes_);
  }
}

void ReportStream::OnDone() {
  const std::shared_ptr<ReportStream> last = std::exchange(itself_, nullptr);
  parts_.keeper.remove(last);
}

KeptStream::Time ReportStream::tend(Time now) {
  {
    const std::lock_guard lock(mutex_);
    if (!reading_ || now - last_heard_ < parts_.idle) {
      return Time::max();
    }
  }
  fail({grpc::StatusCode::DEADLINE_EXCEEDED, "no report came for too long"});
  go_on();
  return Time::max();
}

void ReportStream::stop() {
  fail({grpc::StatusCode::UNAVAILABLE, "the coordinator is shutting down"});
  go_on();
}

}  // namespace convoy::dist
