// All runs that a coordinator knows, and the rules of convoy.v1.CoordinatorService: a pure state
// machine. No clock (every method takes `now`), no network, no disk, no threads: it says what
// changed, and store.h keeps it. The rules are written in proto/convoy/v1/.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>

#include "convoy/v1/coordinator.pb.h"
#include "dist/coordinator/book/event_log.h"
#include "dist/coordinator/book/limits.h"
#include "dist/coordinator/book/records.h"
#include "dist/coordinator/book/run_entry.h"

namespace convoy::dist {

/// Not thread safe. Memory is bounded by the limits: some 700 bytes a rank, and for each run its
/// spec (20 KiB at most) and its open steps (a bit per rank).
class RunBook {
 public:
  explicit RunBook(const CoordinatorLimits& limits, SavedBook saved = {});
  RunBook(const RunBook&) = delete;
  RunBook& operator=(const RunBook&) = delete;

  // Telling. Each throws Refusal and has then changed no run (but there may be an event of it).
  v1::RegisterRunResponse register_run(const v1::RegisterRunRequest& request, Time now,
                                       const History& history);
  v1::ReportProgressResponse report_progress(const v1::ReportProgressRequest& request, Time now);
  v1::FinishEpochResponse finish_epoch(const v1::FinishEpochRequest& request, Time now);
  v1::HeartbeatResponse heartbeat(const v1::HeartbeatRequest& request, Time now);
  v1::FinishRunResponse finish_run(const v1::FinishRunRequest& request, Time now);
  v1::Run stop_run(const v1::StopRunRequest& request, Time now);

  /// What time alone does: runs are lost or forgotten. To be called a few times a second.
  void tick(Time now);
  /// All leases begin anew: the coordinator was away, not they.
  void renew_leases(Time now);

  // Asking. Each throws Refusal.
  v1::Run get_run(const v1::GetRunRequest& request, Time now) const;
  v1::ListRunsResponse list_runs(const v1::ListRunsRequest& request, Time now) const;
  v1::ListRanksResponse list_ranks(const v1::ListRanksRequest& request, Time now) const;
  /// By which a run's rows are found; throws kNotFound.
  std::int64_t run_id(const std::string& run) const;
  /// Whether register_run would ask for history: then what changed must be saved first.
  bool is_known(const std::string& run) const { return runs_.contains(run); }

  /// Whether take_changes would give any.
  bool has_changes() const;
  /// Roughly how many rows that would be.
  std::int64_t unsaved_rows() const { return unsaved_rows_; }
  /// What changed since this was last called.
  Changes take_changes(Time now);

 private:
  RunEntry& find(const std::string& run) const;
  template <typename Request>
  RunEntry& speaker(const Request& request, Time now);
  RunEntry& changed(RunEntry& entry);
  void make_room(const v1::RegisterRunRequest& request, const RunEntry* known);
  void forget(RunEntry& entry);
  RunEntry& add(std::unique_ptr<RunEntry> entry);

  CoordinatorLimits limits_;
  EventLog events_;
  std::unordered_map<std::string, std::unique_ptr<RunEntry>> runs_;
  std::map<std::int64_t, RunEntry*, std::greater<>> by_registration_;
  std::int64_t last_run_id_ = 0;
  std::int64_t last_registration_ = 0;
  std::int64_t ranks_ = 0;  // of all runs
  std::int64_t forgotten_events_;
  Time last_retention_ = {};
  std::int64_t unsaved_rows_ = 0;
  std::unordered_map<std::int64_t, RunEntry*> changed_;
  std::vector<std::pair<std::int64_t, std::string>> forgotten_runs_;
};

}  // namespace convoy::dist
