// The ranks of a run: what each has been heard of, what it has told, and how fast it is.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "convoy/v1/coordinator.pb.h"
#include "dist/coordinator/book/records.h"
#include "dist/coordinator/book/speed.h"

namespace convoy::dist {

/// A rank that is named to it must be one of size(), unless it is said what else happens.
class RankTable {
 public:
  RankTable(std::int64_t run_id, std::string run) : run_id_(run_id), run_(std::move(run)) {}

  /// A new generation. If `told` > 0, the reports of rank 0 up to there count as taken, and of the
  /// other ranks the first that comes is, whatever its sequence.
  void begin(const std::vector<v1::RankInfo>& infos, std::int64_t told, Time now);
  void load(const std::vector<v1::RankInfo>& infos, const std::vector<RankRow>& rows);

  std::int64_t size() const { return static_cast<std::int64_t>(ranks_.size()); }
  const v1::RankInfo& info(std::int32_t rank) const { return at(rank).info; }

  /// False if this report was taken already; throws Refusal::kAborted if one before it is missing.
  bool is_next(std::int32_t rank, std::int64_t sequence) const;
  void acknowledge(std::int32_t rank, std::int64_t sequence);
  /// The last report that was taken, 0 before there is one. Throws std::out_of_range.
  std::int64_t acknowledged(std::int32_t rank) const;
  /// Rank 0 will not send reports before this one any more. Whether it would have had to.
  bool skip_to(std::int64_t sequence);

  void seen(std::int32_t rank, Time now);
  /// What it did in a step that took so long.
  void count(const v1::RankStep& part, std::int64_t step, nanoseconds duration);
  /// Each rank's average time of computing, in nanoseconds; empty while one has not told enough.
  std::vector<double> computing() const;

  bool heard_since(std::int32_t rank, Time time) const { return at(rank).last_seen >= time; }
  std::int32_t count_heard_since(Time time) const;
  /// Without `alive`. Throws std::out_of_range.
  v1::Rank show(std::int32_t rank) const;

  /// Adds rows of those that changed since this was last called.
  void take_changes(std::vector<RankRow>& rows);

 private:
  struct State {
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

  const State& at(std::int32_t rank) const { return ranks_[static_cast<std::size_t>(rank)]; }
  State& change(std::int32_t rank);
  RankRow row(std::int32_t rank) const;

  std::int64_t run_id_;
  std::string run_;
  std::vector<State> ranks_;
  std::vector<std::int32_t> dirty_;
};

}  // namespace convoy::dist
