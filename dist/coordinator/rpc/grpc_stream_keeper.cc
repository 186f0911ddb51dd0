#include "dist/coordinator/rpc/grpc_stream_keeper.h"

#include <algorithm>

namespace convoy::dist {
namespace {

using Clock = std::chrono::steady_clock;

// Report streams can be many and change nothing until they are idle: looked at rarely.
constexpr std::chrono::milliseconds kBetweenSweeps{500};

}  // namespace

StreamKeeper::StreamKeeper() : thread_([this] { run(); }) {}

StreamKeeper::~StreamKeeper() {
  {
    const std::lock_guard lock(mutex_);
    quit_ = true;
  }
  woken_.notify_one();
  thread_.join();
}

bool StreamKeeper::add_report(std::shared_ptr<KeptStream> stream, std::size_t most) {
  const std::lock_guard lock(mutex_);
  if (stopped_ || reports_.size() >= most) {
    return false;
  }
  reports_.insert(std::move(stream));
  if (reports_.size() == 1) {
    woken_.notify_one();
  }
  return true;
}

bool StreamKeeper::add_watcher(std::shared_ptr<KeptStream> stream, std::size_t most) {
  const std::lock_guard lock(mutex_);
  if (stopped_ || watchers_.size() >= most) {
    return false;
  }
  watchers_.insert(std::move(stream));
  wake_ = true;
  woken_.notify_one();
  return true;
}

void StreamKeeper::remove(const std::shared_ptr<KeptStream>& stream) {
  const std::lock_guard lock(mutex_);
  reports_.erase(stream);
  watchers_.erase(stream);
}

void StreamKeeper::run_changed(const std::string& run) {
  const std::lock_guard lock(mutex_);
  bool any = false;
  for (const std::shared_ptr<KeptStream>& watcher : watchers_) {
    any = watcher->run_changed(run) || any;
  }
  if (any) {
    wake_ = true;
    woken_.notify_one();
  }
}

void StreamKeeper::wake() {
  {
    const std::lock_guard lock(mutex_);
    wake_ = true;
  }
  woken_.notify_one();
}

void StreamKeeper::stop_all() {
  Streams all;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    all = reports_;
    all.insert(watchers_.begin(), watchers_.end());
  }
  for (const std::shared_ptr<KeptStream>& stream : all) {
    stream->stop();
  }
}

void StreamKeeper::run() {
  Clock::time_point due = Clock::time_point::max();
  Clock::time_point sweep = Clock::now();
  std::unique_lock lock(mutex_);
  while (!quit_) {
    const Clock::time_point next = reports_.empty() ? due : std::min(due, sweep);
    const auto called = [this] { return wake_ || quit_; };
    if (!called()) {
      // Without an end in sight wait_until would overflow.
      if (next == Clock::time_point::max()) {
        woken_.wait(lock);
      } else {
        woken_.wait_until(lock, next);
      }
    }
    wake_ = false;
    const Clock::time_point now = Clock::now();
    Streams tended = watchers_;
    const bool sweeping = now >= sweep && !reports_.empty();
    if (sweeping) {
      tended.insert(reports_.begin(), reports_.end());
      sweep = now + kBetweenSweeps;
    }
    lock.unlock();
    due = Clock::time_point::max();
    for (const std::shared_ptr<KeptStream>& stream : tended) {
      due = std::min(due, stream->tend(now));
    }
    tended.clear();
    lock.lock();
  }
}

}  // namespace convoy::dist
