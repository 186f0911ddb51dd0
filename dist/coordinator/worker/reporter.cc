#include "dist/coordinator/worker/reporter.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "core/base/check.h"
#include "dist/coordinator/worker/back_off.h"
#include "dist/coordinator/worker/delivery.h"
#include "dist/coordinator/worker/outbox.h"
#include "dist/coordinator/worker/report_records.h"

namespace convoy::dist {
namespace {

using Clock = std::chrono::steady_clock;

// What ending a call that is under way may take.
constexpr std::chrono::milliseconds kCancelling{200};

}  // namespace

class Reporter::Impl {
 public:
  Impl(std::unique_ptr<ReportSink> sink, Options options)
      : options_(std::move(options)),
        sink_(std::move(sink)),
        queue_(options_.limits),
        outbox_(options_.journal, options_.limits),
        delivery_(*sink_, outbox_, options_.registration),
        back_off_({.first = options_.first_back_off,
                   .longest = options_.longest_back_off,
                   .coordinator = options_.coordinator}),
        speaker_{.run = options_.registration.run(),
                 .generation = options_.registration.generation()},
        thread_([this] { work(); }) {}

  ReportQueue& queue() { return queue_; }

  void hurry() {
    const std::lock_guard lock(mutex_);
    urgent_ = true;
    changed_.notify_all();
  }

  void set_phase(v1::Phase phase) { phase_ = phase; }
  bool stop_requested() const { return stop_requested_; }

  std::vector<std::string> take_notes() {
    if (!has_notes_) {
      return {};
    }
    const std::lock_guard lock(mutex_);
    has_notes_ = false;
    return std::exchange(notes_, {});
  }

  std::size_t close() {
    if (thread_.joinable()) {
      std::unique_lock lock(mutex_);
      closed_at_ = Clock::now();
      deadline_ = closed_at_ + (away_ ? options_.away_flush : options_.flush);
      changed_.notify_all();
      while (!ended_ && Clock::now() < *deadline_ + kCancelling) {
        changed_.wait_until(lock, *deadline_ + kCancelling);
      }
      if (!ended_) {
        sink_->cancel();
      }
      lock.unlock();
      thread_.join();
    }
    return outbox_.size();
  }

 private:
  // The thread's.
  void work() {
    std::unique_lock lock(mutex_);
    while (!deadline_) {
      lock.unlock();
      collect();
      if (!given_up_ && Clock::now() >= back_off_.retry_at()) {
        tell();
      }
      lock.lock();
      changed_.wait_until(lock, next(), [this] { return urgent_ || deadline_; });
      urgent_ = false;
    }
    lock.unlock();
    flush();
    lock.lock();
    ended_ = true;
    changed_.notify_all();
  }

  Clock::time_point next() const {
    if (back_off_.waiting()) {
      return back_off_.retry_at();
    }
    const std::chrono::nanoseconds interval = options_.interval;
    return Clock::now() + std::min(interval, delivery_.heartbeat_interval());
  }

  // Takes what training has told into the outbox, and so into the journal.
  void collect() {
    const ReportQueue::Batch batch = queue_.take();
    if (batch.empty()) {
      return;
    }
    const std::string error = outbox_.add(to_records(batch, speaker_));
    if (!error.empty() && !std::exchange(journal_failed_, true)) {
      note(fmt::format("reports to the coordinator are kept in memory alone: {}", error));
    }
  }

  void tell() {
    Delivery::Outcome outcome = delivery_.deliver([this] { return late_although_it_answers(); });
    if (outcome == Delivery::Outcome::kDone && Clock::now() >= heartbeat_at_ && !closing()) {
      outcome = delivery_.heartbeat(heartbeat());
      heartbeat_at_ = Clock::now() + delivery_.heartbeat_interval() - options_.interval / 2;
    }
    stop_requested_ = delivery_.stop_requested();
    switch (outcome) {
      case Delivery::Outcome::kDone:
        note(back_off_.answered());
        away_ = false;
        break;
      case Delivery::Outcome::kRetry:
        note(back_off_.failed(delivery_.refused(), delivery_.reason(), Clock::now()));
        away_ = !delivery_.refused();
        break;
      case Delivery::Outcome::kGivenUp:
        given_up_ = true;
        note(fmt::format("{} does not take this run's reports: {}; training goes on without",
                         options_.coordinator,
                         delivery_.reason().substr(0, delivery_.reason().find('\n'))));
    }
  }

  v1::HeartbeatRequest heartbeat() const {
    v1::HeartbeatRequest request;
    request.set_phase(phase_);
    const int awaited = options_.awaited ? options_.awaited() : -1;
    for (const v1::RankInfo& rank : options_.registration.ranks()) {
      if (rank.rank() == awaited) {
        request.set_waiting_for(
            fmt::format("rank {} ({})", awaited, rank.host().substr(0, kMaxHostShown)));
      } else if (rank.rank() != 0) {
        request.add_alive(rank.rank());
      }
    }
    return request;
  }

  // What is left, while there is time.
  void flush() {
    collect();
    while (!given_up_ && !late()) {
      tell();
      if (outbox_.empty()) {
        return;
      }
      std::unique_lock lock(mutex_);
      changed_.wait_until(lock, std::min(back_off_.retry_at(), *deadline_));
    }
  }

  bool closing() {
    const std::lock_guard lock(mutex_);
    return deadline_.has_value();
  }
  bool late() {
    const std::lock_guard lock(mutex_);
    return deadline_ && Clock::now() >= *deadline_;
  }

  bool late_although_it_answers() {
    const std::lock_guard lock(mutex_);
    away_ = false;
    if (deadline_) {
      deadline_ = closed_at_ + options_.flush;
    }
    return deadline_ && Clock::now() >= *deadline_;
  }

  void note(std::string text) {
    if (text.empty()) {
      return;
    }
    const std::lock_guard lock(mutex_);
    notes_.push_back(std::move(text));
    has_notes_ = true;
  }

  static constexpr std::size_t kMaxHostShown = 200;  // of 255 bytes in all

  const Options options_;
  const std::unique_ptr<ReportSink> sink_;
  ReportQueue queue_;
  std::atomic<v1::Phase> phase_ = v1::PHASE_STARTING;
  std::atomic<bool> stop_requested_ = false;
  std::atomic<bool> away_ = false;
  std::atomic<bool> has_notes_ = false;

  // The thread's alone.
  Outbox outbox_;
  Delivery delivery_;
  BackOff back_off_;
  Speaker speaker_;
  Clock::time_point heartbeat_at_;
  bool journal_failed_ = false;
  bool given_up_ = false;

  std::mutex mutex_;  // for what follows
  std::condition_variable changed_;
  bool urgent_ = false;
  std::optional<Clock::time_point> deadline_;  // when closing
  Clock::time_point closed_at_;
  bool ended_ = false;
  std::vector<std::string> notes_;

  std::thread thread_;  // last: it uses what stands above
};

Reporter::Reporter(std::unique_ptr<ReportSink> sink, Options options)
    : impl_(std::make_unique<Impl>(std::move(sink), std::move(options))) {}

Reporter::~Reporter() {
  close();
}

void Reporter::step(StepRecord step) {
  impl_->queue().put(std::move(step));
}

void Reporter::epoch(v1::EpochMetrics epoch) {
  impl_->queue().put(std::move(epoch));
  impl_->hurry();
}

void Reporter::note(v1::Severity severity, const std::string& text) {
  v1::Note note;
  note.set_severity(severity);
  note.set_text(text);
  impl_->queue().put(std::move(note));
}

void Reporter::phase(v1::Phase phase) {
  impl_->set_phase(phase);
}

void Reporter::end(v1::RunState state, const std::string& reason) {
  impl_->queue().put(ReportQueue::RunEnd{.state = state, .reason = reason});
}

std::size_t Reporter::close() {
  return impl_->close();
}

bool Reporter::stop_requested() const {
  return impl_->stop_requested();
}

std::vector<std::string> Reporter::take_notes() {
  return impl_->take_notes();
}

}  // namespace convoy::dist
