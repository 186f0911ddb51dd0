// One run, as run_book.h knows it: its life, its ranks, its steps and epochs. Pure: time comes in
// as `now`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "convoy/v1/coordinator.pb.h"
#include "dist/coordinator/book/epoch_book.h"
#include "dist/coordinator/book/event_log.h"
#include "dist/coordinator/book/limits.h"
#include "dist/coordinator/book/rank_table.h"
#include "dist/coordinator/book/records.h"
#include "dist/coordinator/book/run_states.h"
#include "dist/coordinator/book/speed.h"
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
  std::int64_t world_size() const { return ranks_.size(); }

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

  std::int64_t acknowledged(std::int32_t rank) const { return ranks_.acknowledged(rank); }
  bool stop_requested() const { return stop_requested_ && !has_ended(state()); }
  nanoseconds heartbeat_interval() const;
  v1::Run run(Time now) const;
  v1::Rank rank(std::int32_t rank, Time now) const;

  /// Adds what changed since this was last called.
  void take_changes(Changes& changes, Time now);

 private:
  bool take(std::int32_t rank, std::int64_t sequence, Time now);
  void check_epochs(const v1::ReportProgressRequest& request) const;
  void close_gap(const v1::ReportProgressRequest& request);
  void lose(const v1::ReportProgressRequest& request, Time now);
  void advance();
  void heard(Time now);
  void count(const v1::StepReport& report, Time now);
  void close(const StepRow& row);
  void forget_old_steps();
  void name_straggler(Time now);
  RunRow run_row(Time now) const;

  std::int64_t id_;
  EventLog& events_;
  const CoordinatorLimits& limits_;
  RegistrationRow registration_;
  v1::Run status_;  // without spec and what run_row() adds
  StepLedger ledger_;
  RankTable ranks_;
  EpochBook epochs_;
  Speed speed_;
  StragglerWatch straggler_;
  Time refused_ = {};
  std::int64_t forgotten_steps_ = 0;
  bool stop_requested_ = false;
  bool skip_gap_ = false;

  bool registered_ = false;  // since changes were last taken
  bool dirty_ = false;
  std::vector<StepRow> closed_;
  std::int64_t forget_steps_to_ = 0;
};

}  // namespace convoy::dist
