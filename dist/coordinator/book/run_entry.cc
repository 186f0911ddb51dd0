#include "dist/coordinator/book/run_entry.h"

#include <algorithm>

#include "core/base/printable.h"
#include "dist/coordinator/base/refusal.h"

namespace convoy::dist {
namespace {

constexpr nanoseconds kDefaultLease = std::chrono::seconds(10);
constexpr nanoseconds kMinHeartbeat = std::chrono::milliseconds(250);
// Between two events of a kind that a caller could cause as often as it likes.
constexpr std::chrono::minutes kQuiet{1};

}  // namespace

RunEntry::RunEntry(std::int64_t run_id, std::string name, EventLog& events,
                   const CoordinatorLimits& limits)
    : id_(run_id),
      events_(events),
      limits_(limits),
      ledger_(run_id, limits.open_steps),
      ranks_(run_id, name),
      epochs_(run_id) {
  status_.set_run(std::move(name));
}

RunEntry::RunEntry(SavedRun saved, EventLog& events, const CoordinatorLimits& limits)
    : id_(saved.registration.run_id),
      events_(events),
      limits_(limits),
      registration_(std::move(saved.registration)),
      status_(saved.run.status),
      ledger_(id_, limits.open_steps),
      ranks_(id_, name()),
      epochs_(id_),
      stop_requested_(saved.run.stop_requested),
      skip_gap_(saved.run.skip_gap) {
  ledger_.load(status_.step(), static_cast<std::int32_t>(saved.ranks.size()), saved);
  ranks_.load(registration_.ranks, saved.ranks);
  epochs_.load(saved);
  status_.clear_last_epoch();
  if (const v1::Straggler& slow = status_.straggler();
      status_.has_straggler() && slow.rank() >= 0 && slow.rank() < world_size()) {
    straggler_ = StragglerWatch({.rank = slow.rank(), .factor = slow.factor()});
  }
  for (const StepRow& row : saved.last_steps) {
    speed_.add(row.sums.images, row.duration);
  }
}

bool RunEntry::is_new(const v1::RegisterRunRequest& request, Time now) {
  if (request.generation() == status_.generation() && request.attempt() != registration_.attempt) {
    events_.warning(
        now, name(),
        fmt::format("another start of generation {} was refused", request.generation()));
    refuse(Refusal::Kind::kFailedPrecondition,
           "generation {} of run '{}' is held by another start of it (attempt {}); this one must "
           "not report",
           request.generation(), name(), printable(registration_.attempt));
  }
  if (request.generation() > status_.generation()) {
    return true;
  }
  check_generation(request.generation(), now);
  return false;
}

void RunEntry::check_generation(std::int64_t generation, Time now) {
  if (generation > status_.generation()) {
    refuse(Refusal::Kind::kNotFound,
           "generation {} of run '{}' is not known here, {} is the newest;"
           " register it first",
           generation, name(), status_.generation());
  }
  if (generation < status_.generation()) {
    if (now - refused_ >= kQuiet) {
      refused_ = now;
      events_.warning(
          now, name(),
          fmt::format("a speaker of generation {} was refused: it is stale", generation));
    }
    refuse(Refusal::Kind::kFailedPrecondition,
           "generation {} of run '{}' is stale: it goes on as generation {}", generation, name(),
           status_.generation());
  }
}

void RunEntry::register_run(const v1::RegisterRunRequest& request, std::int64_t registration,
                            Time now, const History& history) {
  const bool known = status_.generation() > 0;
  registration_.last_epoch = epochs_.begin(request, known, history);
  const v1::RunSpec& spec = request.spec();
  registration_.run_id = id_;
  registration_.name = name();
  registration_.registration = registration;
  registration_.attempt = request.attempt();
  registration_.first_step = request.first_step();
  registration_.lease = request.has_lease() ? from_message(request.lease()) : kDefaultLease;
  registration_.spec = spec;
  registration_.ranks.assign(request.ranks().begin(), request.ranks().end());

  ledger_.begin(request.first_step(), spec.world_size());
  std::erase_if(closed_, [&](const StepRow& row) { return row.step > request.first_step(); });
  const std::int64_t told = std::max<std::int64_t>(request.first_sequence(), 1) - 1;
  skip_gap_ = told > 0;
  ranks_.begin(registration_.ranks, told, now);
  speed_ = {};
  straggler_ = {};
  stop_requested_ = false;

  if (!known) {
    *status_.mutable_create_time() = to_message(now);
  }
  *status_.mutable_start_time() = to_message(now);
  status_.clear_end_time();
  status_.set_generation(request.generation());
  status_.set_state(v1::RUN_STATE_RUNNING);
  status_.clear_state_reason();
  status_.set_phase(v1::PHASE_UNSPECIFIED);
  status_.clear_waiting_for();
  status_.clear_straggler();
  status_.clear_learning_rate();
  status_.set_step(request.first_step());
  registered_ = true;
  heard(now);
  const std::string ranks =
      spec.world_size() == 1 ? "one rank" : fmt::format("{} ranks", spec.world_size());
  events_.info(now, name(),
               known || request.first_step() > 0
                   ? fmt::format("resumed at step {} with {}, generation {}", request.first_step(),
                                 ranks, request.generation())
                   : fmt::format("registered: model {} on {}, {}, {} epochs", spec.model(),
                                 spec.dataset(), ranks, spec.epochs()));
}

void RunEntry::register_again(const v1::RegisterRunRequest& request, Time now) {
  skip_gap_ = ranks_.skip_to(request.first_sequence()) || skip_gap_;
  heard(now);
}

// Whether a report is new; it counts as a sign of life in any case.
bool RunEntry::take(std::int32_t rank, std::int64_t sequence, Time now) {
  const bool next = ranks_.is_next(rank, sequence);
  heard(now);
  ranks_.seen(rank, now);
  if (next) {
    ranks_.acknowledge(rank, sequence);
  }
  return next;
}

void RunEntry::report_progress(const v1::ReportProgressRequest& request, Time now) {
  if (ranks_.is_next(request.rank(), request.sequence())) {
    check_epochs(request);
  }
  if (!take(request.rank(), request.sequence(), now)) {
    return;
  }
  close_gap(request);
  const std::int64_t before = ledger_.closed();
  for (const v1::StepReport& step : request.steps()) {
    count(step, now);
    advance();
  }
  lose(request, now);
  if (ledger_.closed() != before) {
    name_straggler(now);
  }
  for (const v1::Note& note : request.notes()) {
    events_.add(now, name(),
                note.severity() == v1::SEVERITY_UNSPECIFIED ? v1::SEVERITY_INFO : note.severity(),
                note.text());
  }
}

void RunEntry::finish_run(const v1::FinishRunRequest& request, Time now) {
  if (!take(request.rank(), request.sequence(), now) || has_ended(state())) {
    return;
  }
  status_.set_state(request.state());
  status_.set_state_reason(request.reason());
  *status_.mutable_end_time() = to_message(now);
  status_.set_phase(v1::PHASE_UNSPECIFIED);
  status_.clear_waiting_for();
  status_.clear_straggler();
  const std::string why = request.reason().empty() ? "" : ": " + request.reason();
  switch (request.state()) {
    case v1::RUN_STATE_FAILED:
      events_.add(now, name(), v1::SEVERITY_ERROR, "failed" + why);
      break;
    case v1::RUN_STATE_STOPPED:
      events_.info(now, name(), "stopped" + why);
      break;
    default:
      events_.info(now, name(), "trained to the end" + why);
  }
}

void RunEntry::heartbeat(const v1::HeartbeatRequest& request, Time now) {
  heard(now);
  ranks_.seen(request.rank(), now);
  for (const std::int32_t rank : request.alive()) {
    ranks_.seen(rank, now);
  }
  if (!has_ended(state())) {
    status_.set_phase(request.phase());
    status_.set_waiting_for(request.waiting_for());
  }
}

void RunEntry::stop_run(const v1::StopRunRequest& request, Time now) {
  if (has_ended(state()) || stop_requested_) {
    return;
  }
  stop_requested_ = true;
  dirty_ = true;
  if (state() == v1::RUN_STATE_RUNNING) {
    status_.set_state(v1::RUN_STATE_STOPPING);
    status_.set_state_reason(request.reason());
  }
  events_.info(now, name(),
               "asked to stop" + (request.reason().empty() ? "" : ": " + request.reason()));
}

void RunEntry::tick(Time now) {
  if (!goes_on(state()) || now <= from_message(status_.lease_expire_time())) {
    return;
  }
  status_.set_state(v1::RUN_STATE_LOST);
  status_.set_state_reason(
      fmt::format("nothing was heard of it for {} s",
                  std::chrono::duration_cast<std::chrono::seconds>(registration_.lease).count()));
  status_.clear_waiting_for();
  dirty_ = true;
  events_.warning(now, name(), "lost: " + status_.state_reason());
}

void RunEntry::renew_lease(Time now) {
  if (goes_on(state())) {
    *status_.mutable_lease_expire_time() = to_message(now + registration_.lease);
  }
}

void RunEntry::heard(Time now) {
  *status_.mutable_update_time() = to_message(now);
  *status_.mutable_lease_expire_time() = to_message(now + registration_.lease);
  dirty_ = true;
  if (state() == v1::RUN_STATE_LOST) {
    status_.set_state(stop_requested_ ? v1::RUN_STATE_STOPPING : v1::RUN_STATE_RUNNING);
    status_.set_state_reason(stop_requested_ ? "asked to stop" : "");
    events_.info(now, name(), "heard of again");
  }
}

nanoseconds RunEntry::heartbeat_interval() const {
  return std::max(registration_.lease / 4, kMinHeartbeat);
}

}  // namespace convoy::dist
