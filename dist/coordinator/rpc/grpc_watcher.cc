#include "dist/coordinator/rpc/grpc_watcher.h"

#include <algorithm>
#include <utility>

#include "dist/coordinator/base/times.h"
#include "dist/coordinator/book/run_states.h"
#include "dist/coordinator/book/validate.h"
#include "dist/coordinator/rpc/grpc_status.h"

namespace convoy::dist {
namespace {

constexpr std::chrono::milliseconds kMinInterval{100};

std::chrono::steady_clock::duration interval_of(const v1::WatchRunRequest& request) {
  validate(request);
  return std::max<nanoseconds>(from_message(request.min_interval()), kMinInterval);
}

}  // namespace

Watcher::Watcher(const Parts& parts, const v1::WatchRunRequest& request)
    : parts_(parts), min_interval_(interval_of(request)) {
  question_.set_run(request.run());
}

bool Watcher::run_changed(const std::string& run) {
  return run == question_.run() && !changed_.exchange(true);
}

KeptStream::Time Watcher::tend(Time now) {
  {
    const std::lock_guard lock(mutex_);
    if (finished_ || ending_ || writing_ || !changed_) {
      return Time::max();
    }
    if (now < next_) {
      return next_;
    }
    writing_ = true;
    next_ = now + min_interval_;
  }
  changed_ = false;  // before asking: what changes from here on is told next time
  bool last = false;
  try {
    *response_.mutable_run() = parts_.coordinator.get_run(question_);
    last = has_ended(response_.run().state());
  } catch (...) {
    {
      const std::lock_guard lock(mutex_);
      writing_ = false;
    }
    finish(to_status(std::current_exception()));
    return Time::max();
  }
  if (last) {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  StartWrite(&response_);
  return Time::max();
}

void Watcher::OnWriteDone(bool ok) {
  const std::shared_ptr<Watcher> alive = shared_from_this();
  bool ending = false;
  {
    const std::lock_guard lock(mutex_);
    writing_ = false;
    ending = ending_;
  }
  if (!ok) {
    finish({grpc::StatusCode::CANCELLED, "the caller left"});
  } else if (ending) {
    finish(grpc::Status::OK);
  } else if (changed_) {
    parts_.keeper.wake();
  }
}

void Watcher::finish(grpc::Status status) {
  {
    const std::lock_guard lock(mutex_);
    if (finished_) {
      return;
    }
    if (!status.ok() && status_.ok()) {
      status_ = std::move(status);
    }
    ending_ = true;
    if (writing_) {
      return;  // OnWriteDone comes back here: gRPC takes no end during a write
    }
    finished_ = true;
  }
  Finish(status_);
}

void Watcher::OnCancel() {
  const std::shared_ptr<Watcher> alive = shared_from_this();
  finish({grpc::StatusCode::CANCELLED, "the caller left"});
}

void Watcher::OnDone() {
  const std::shared_ptr<Watcher> last = std::exchange(itself_, nullptr);
  parts_.keeper.remove(last);
}

void Watcher::stop() {
  finish({grpc::StatusCode::UNAVAILABLE, "the coordinator is shutting down"});
}

}  // namespace convoy::dist
