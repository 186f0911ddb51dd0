#include "dist/coordinator/committer.h"

#include "dist/coordinator/base/refusal.h"

namespace convoy::dist {
namespace {

constexpr std::chrono::milliseconds kTick{250};
// If this much time was between two ticks, the coordinator itself was away (stopped, or the machine
// slept), and nobody else is to blame for having been silent.
constexpr std::chrono::seconds kAway{2};

// What may gather while a commit is under way: about 100 MiB.
constexpr std::int64_t kMaxUnsavedRows = 500'000;

Refusal unavailable(const std::string& failure) {
  return Refusal(Refusal::Kind::kUnavailable, "the coordinator cannot save anything: " + failure);
}

}  // namespace

Committer::Committer(Parts parts)
    : parts_(std::move(parts)), last_tick_(parts_.clock()), thread_([this] { run(); }) {}

Committer::~Committer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Committer::check_available() const {
  if (stopping_) {
    refuse(Refusal::Kind::kUnavailable, "the coordinator is shutting down");
  }
  if (!failure_.empty()) {
    throw unavailable(failure_);
  }
  if (parts_.book.unsaved_rows() > kMaxUnsavedRows) {
    refuse(Refusal::Kind::kResourceExhausted,
           "more is reported than the disk takes: {} rows wait for it; try later",
           parts_.book.unsaved_rows());
  }
}

void Committer::save_now() {
  Changes changes = parts_.book.take_changes(parts_.clock());
  try {
    parts_.store.save(changes);
  } catch (const std::exception& error) {
    unsaved_ = std::move(changes);
    failure_ = error.what();
    throw unavailable(failure_);
  }
}

void Committer::run() {
  auto next_tick = std::chrono::steady_clock::now() + kTick;
  for (;;) {
    bool last = false;
    {
      std::unique_lock lock(mutex_);
      wake_.wait_until(lock, next_tick,
                       [&] { return stopping_ || (failure_.empty() && !waiting_.empty()); });
      last = stopping_;
      if (std::chrono::steady_clock::now() >= next_tick) {
        tick();
        next_tick = std::chrono::steady_clock::now() + kTick;
      }
    }
    while (commit() && last) {
    }
    if (last) {
      return;
    }
  }
}

void Committer::tick() {
  const Time now = parts_.clock();
  if (!failure_.empty() || now - last_tick_ > kAway) {
    parts_.book.renew_leases(now);
  } else {
    parts_.book.tick(now);
  }
  last_tick_ = now;
}

// Saves one group; false if there was none, or it could not be.
bool Committer::commit() {
  std::vector<Done> done;
  std::vector<std::string> runs;
  std::exception_ptr error;
  {
    const std::lock_guard saving(saving_);
    {
      const std::lock_guard lock(mutex_);
      if (!unsaved_ && waiting_.empty() && !parts_.book.has_changes()) {
        return false;
      }
      done.swap(waiting_);
      if (!unsaved_) {
        unsaved_ = parts_.book.take_changes(parts_.clock());
      }
    }
    std::string failure;
    try {
      parts_.store.save(*unsaved_);
      for (RunRow& run : unsaved_->runs) {
        runs.push_back(std::move(run.name));
      }
      for (auto& [id, name] : unsaved_->forgotten_runs) {
        runs.push_back(std::move(name));
      }
      unsaved_.reset();
    } catch (const std::exception& thrown) {
      failure = thrown.what();
      error = std::make_exception_ptr(unavailable(failure));
    }
    const std::lock_guard lock(mutex_);
    failure_ = failure;
    if (error != nullptr) {
      // They came while this group was tried: their changes are to be saved after it.
      done.insert(done.end(), std::make_move_iterator(waiting_.begin()),
                  std::make_move_iterator(waiting_.end()));
      waiting_.clear();
    }
  }
  for (const Done& call : done) {
    call(error);
  }
  for (const std::string& run : runs) {
    parts_.changed(run);
  }
  return error == nullptr;
}

}  // namespace convoy::dist
