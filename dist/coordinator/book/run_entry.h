// One run, as run_book.h knows it: its life, its ranks, its steps and epochs. Pure: time comes in
// as `now`.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "convoy/v1/coordinator.pb.h"
#include "dist/coordinator/book/event_log.h"
#include "dist/coordinator/book/limits.h"
#include "dist/coordinator/book/records.h"
#include "dist/coordinator/book/run_states.h"
#include "dist/coordinator/book/step_ledger.h"
#include "dist/coordinator/book/straggler.h"

namespace convoy::dist {

class RunEntry {
 public:
  /// `events` and `limits` must outlive this.
  RunEntry(std::int64_t run_id, std::string name, EventLog& events,
           const CoordinatorLimits& limits);
  /// As it was saved.
  RunEntry(SavedRun saved, EventLog& events, const CoordinatorLimits& limits);

  std::int64_t id() const { return id_; }
  const std::string& name() const { return status_.run(); }
  std::int64_t registration() const { return registration_.registration; }
  v1::RunState state() const { return status_.state(); }
  const v1::RunSpec& spec() const { return registration_.spec; }
  Time end_time() const { return from_message(status_.end_time()); }
  std::int64_t world_size() const { return static_cast<std::int64_t>(ranks_.size()); }

  // Requests are valid by themselves (validate.h). These throw Refusal if they do not fit the run,
  // and have then changed nothing.

  /// Whether a registration makes a new generation: false if it is the one that is known.
  bool is_new(const v1::RegisterRunRequest& request, Time now);
  /// REQUIRES: is_new().
  void register_run(const v1::RegisterRunRequest& request, std::int64_t registration, Time now,
                    const History& history);
  /// For the one that is known.
  void register_again(const v1::RegisterRunRequest& request, Time now);
  void report_progress(const v1::ReportProgressRequest& request, Time now);
  void finish_epoch(const v1::FinishEpochRequest& request, Time now);
  void heartbeat(const v1::HeartbeatRequest& request, Time now);
  void finish_run(const v1::FinishRunRequest& request, Time now);
  void stop_run(const v1::StopRunRequest& request, Time now);
  /// The run is LOST if its lease is over.
  void tick(Time now);
  /// The lease begins anew: it was not the run's fault that nothing was heard of it.
  void renew_lease(Time now);
  /// Throws Refusal::kFailedPrecondition for a speaker of another generation.
  void check_generation(std::int64_t generation, Time now);

  std::int64_t acknowledged(std::int32_t rank) const;
  bool stop_requested() const { return stop_requested_ && !has_ended(state()); }
  nanoseconds heartbeat_interval() const;
  v1::Run run(Time now) const;
  v1::Rank rank(std::int32_t rank, Time now) const;

  /// Adds what changed since this was last called.
  void take_changes(Changes& changes, Time now);

 private:
  struct RankState {
    v1::RankInfo info = {};
    std::int64_t acknowledged = 0;  // -1: see RankRow
    std::int64_t step = 0;
    Time last_seen = {};
    Speed speed = {};
    WindowSum computing = {};
    WindowSum waiting = {};
    RankRow before = {};  // figures to show until there are new ones
    bool dirty = false;
  };
  struct Epoch {
    v1::EpochMetrics metrics = {};
    Totals aggregated = {};
    bool finished = false;
    bool dirty = false;
  };

  bool is_next(std::int32_t rank, std::int64_t sequence) const;
  void acknowledge(std::int32_t rank, std::int64_t sequence);
  void check_epochs(const v1::ReportProgressRequest& request) const;
  void close_gap(const v1::ReportProgressRequest& request);
  void lose(const v1::ReportProgressRequest& request, Time now);
  void advance();
  void heard(Time now);
  void seen(std::int32_t rank, Time now);
  bool alive(const RankState& rank, Time now) const;
  void touch(std::int32_t rank);
  void count(const v1::StepReport& report, Time now);
  void close(const StepRow& row);
  void forget_old_steps();
  void begin_epochs(const v1::RegisterRunRequest& request, const History& history);
  void drop_settled_epochs();
  void bound_epochs();
  Epoch* aggregating(std::int64_t epoch);
  void name_straggler(Time now);
  RankRow row(std::int32_t rank) const;
  RunRow run_row(Time now) const;

  std::int64_t id_;
  EventLog& events_;
  const CoordinatorLimits& limits_;
  RegistrationRow registration_;
  v1::Run status_;  // without spec and what run() computes
  StepLedger ledger_;
  std::vector<RankState> ranks_;
  Speed speed_;
  std::int64_t so_far_epoch_ = 0;
  Totals so_far_;
  std::map<std::int64_t, Epoch> epochs_;  // those that may still change
  std::int32_t named_straggler_ = -1;     // the one of the last event about it
  Time straggler_event_ = {};
  Time refused_ = {};
  std::int64_t forgotten_steps_ = 0;
  bool stop_requested_ = false;
  bool skip_gap_ = false;

  bool registered_ = false;  // since changes were last taken
  bool dirty_ = false;
  std::vector<std::int32_t> dirty_ranks_;
  std::vector<StepRow> closed_;
  std::int64_t forget_steps_to_ = 0;
};

}  // namespace convoy::dist
