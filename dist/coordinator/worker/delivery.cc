#include "dist/coordinator/worker/delivery.h"

#include <algorithm>

#include "dist/coordinator/base/times.h"

namespace convoy::dist {

Delivery::Delivery(ReportSink& sink, Outbox& outbox, v1::RegisterRunRequest registration)
    : sink_(sink), outbox_(outbox), registration_(std::move(registration)) {
  outbox_.add_registration(registration_);
}

template <typename Call>
Delivery::Outcome Delivery::attempt(Call call) {
  reason_.clear();
  refused_ = false;
  try {
    call();
    return Outcome::kDone;
  } catch (const Refusal& refusal) {
    reason_ = refusal.what();
    refused_ = refusal.kind() != Refusal::Kind::kUnavailable;
    return judge(refusal);
  } catch (const std::exception& error) {
    reason_ = error.what();
    return Outcome::kRetry;
  }
}

Delivery::Outcome Delivery::deliver(const std::function<bool()>& enough) {
  return attempt([&] {
    do {
      const std::int64_t next = outbox_.empty() ? registration_.generation() : outbox_.generation();
      if (registered_ != next) {
        register_next();
      } else if (!outbox_.empty()) {
        send_first();
      }
    } while (!(outbox_.empty() && registered_ == registration_.generation()) && !enough());
  });
}

// An answer tells what the coordinator has, so that only the rest is sent: after it was restarted
// with an older state, say. What it has not and we no longer have counts as told.
void Delivery::register_next() {
  v1::RegisterRunRequest request =
      outbox_.empty() ? registration_ : outbox_.registration(outbox_.generation());
  request.set_first_sequence(outbox_.empty() ? last_taken_ + 1 : outbox_.sequence());
  speaking_ = request.generation();
  registering_ = true;
  const v1::RegisterRunResponse response = sink_.register_run(request);
  registered_ = request.generation();
  taken(response.acknowledged_sequence());
  heartbeat_interval_ = std::max<nanoseconds>(from_message(response.heartbeat_interval()),
                                              std::chrono::milliseconds(100));
}

void Delivery::send_first() {
  const std::vector<v1::JournalRecord> records = outbox_.first(most_);
  speaking_ = outbox_.generation();
  registering_ = false;
  sending_ = records.size();
  const v1::JournalRecord& first = records.front();
  if (first.has_epoch()) {
    heard(sink_.finish_epoch(first.epoch()));
  } else if (first.has_end()) {
    taken(sink_.finish_run(first.end()).acknowledged_sequence());
  } else {
    std::vector<v1::ReportProgressRequest> reports;
    for (const v1::JournalRecord& record : records) {
      reports.push_back(record.progress());
    }
    heard(sink_.report_progress(reports));
  }
}

template <typename Response>
void Delivery::heard(const Response& response) {
  taken(response.acknowledged_sequence());
  stop_requested_ =
      stop_requested_ || (speaking_ == registration_.generation() && response.stop_requested());
}

void Delivery::taken(std::int64_t sequence) {
  outbox_.acknowledge(speaking_, sequence);
  if (speaking_ == registration_.generation()) {
    last_taken_ = std::max(last_taken_, sequence);
  }
}

Delivery::Outcome Delivery::heartbeat(v1::HeartbeatRequest request) {
  request.set_run(registration_.run());
  request.set_generation(registration_.generation());
  return attempt([&] {
    speaking_ = registration_.generation();
    registering_ = false;
    sending_ = 0;
    const v1::HeartbeatResponse response = sink_.heartbeat(request);
    stop_requested_ = stop_requested_ || response.stop_requested();
    if (response.has_heartbeat_interval()) {
      heartbeat_interval_ = from_message(response.heartbeat_interval());
    }
  });
}

Delivery::Outcome Delivery::judge(const Refusal& refusal) {
  const bool own = speaking_ == registration_.generation();
  switch (refusal.kind()) {
    case Refusal::Kind::kNotFound:
    case Refusal::Kind::kAborted:
      registered_ = 0;  // registering says what it has
      return Outcome::kRetry;
    case Refusal::Kind::kFailedPrecondition:
      if (!own) {
        outbox_.drop_generation(speaking_);
        return Outcome::kRetry;
      }
      return Outcome::kGivenUp;
    case Refusal::Kind::kInvalidArgument:
      if (!own && registering_) {
        outbox_.drop_generation(speaking_);
      } else if (registering_) {
        return Outcome::kGivenUp;
      } else if (sending_ > 1) {
        most_ = 1;  // to see which of them it is
      } else if (sending_ == 1) {
        most_ = SIZE_MAX;
        // The same again would be refused again.
        return outbox_.drop_content_of_first() ? Outcome::kRetry : Outcome::kGivenUp;
      }
      return Outcome::kRetry;
    default:
      return Outcome::kRetry;
  }
}

}  // namespace convoy::dist
