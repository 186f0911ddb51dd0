// The epochs of a run: what is added up of each from the steps, and what was told of it at its end.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "convoy/v1/coordinator.pb.h"
#include "dist/coordinator/book/records.h"

namespace convoy::dist {

class EpochBook {
 public:
  explicit EpochBook(std::int64_t run_id) : run_id_(run_id) {}

  /// A new generation goes on behind request.first_step(); of a `known` run, what was saved up to
  /// there is in the history. Returns the last finished epoch that stays.
  std::int64_t begin(const v1::RegisterRunRequest& request, bool known, const History& history);
  void load(const SavedRun& saved);

  /// What ranks did in a step of this epoch.
  void count(std::int64_t epoch, const Totals& added);
  /// A step of which nothing more is expected. They come in order.
  void close(const StepRow& row);
  /// Whether the end of this epoch is news.
  bool finish(const v1::EpochMetrics& metrics);

  /// Of the last closed step.
  std::int64_t in_progress() const { return in_progress_; }
  /// What closed steps of it add up to.
  const Totals& so_far() const { return so_far_; }
  /// Sets `epoch`, `epoch_so_far` and `last_epoch` of a run that has so many epochs. Its `state`
  /// must be set.
  void show(v1::Run& run, std::int64_t epochs) const;

  /// Adds rows of those that changed since this was last called.
  void take_changes(std::vector<EpochRow>& rows);

 private:
  struct Epoch {
    v1::EpochMetrics metrics = {};
    Totals aggregated = {};
    bool finished = false;
    bool dirty = false;
  };

  void set_last(const v1::EpochMetrics& metrics);
  void drop_settled();
  void make_room();

  std::int64_t run_id_;
  std::int64_t in_progress_ = 0;
  Totals so_far_;
  v1::EpochMetrics last_;                 // that is finished; 0 if none is
  std::map<std::int64_t, Epoch> epochs_;  // those that may still change
};

}  // namespace convoy::dist
