// Which ranks have reported which optimizer steps of a run: counts each (step, rank) once, closes
// steps in order, and knows those that nobody will report.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "dist/coordinator/book/records.h"

namespace convoy::dist {

class StepLedger {
 public:
  using Ranges = std::vector<std::pair<std::int64_t, std::int64_t>>;

  struct OpenStep {
    StepRow row = {};
    bool dirty = false;

    bool has(std::int32_t rank) const {
      return ((static_cast<unsigned>(row.reported[static_cast<std::size_t>(rank / 8)]) >>
               (rank % 8)) &
              1U) != 0;
    }
    void set(std::int32_t rank) {
      row.reported[static_cast<std::size_t>(rank / 8)] |= static_cast<char>(1U << (rank % 8));
      ++row.ranks;
    }
  };

  StepLedger(std::int64_t run_id, std::int64_t max_open) : run_id_(run_id), max_open_(max_open) {}

  /// Forgets all that lies beyond `step`, and expects `world_size` ranks from there.
  void begin(std::int64_t step, std::int32_t world_size);
  void load(std::int64_t closed, std::int32_t world_size, const SavedRun& saved);

  /// All steps up to this one are closed: complete, or lost.
  std::int64_t closed() const { return closed_; }
  std::int64_t lost_steps() const;
  const Ranges& lost() const { return lost_; }
  std::int64_t lost_before() const { return lost_before_; }

  /// nullptr if nothing of that step is open.
  const OpenStep* find(std::int64_t step) const;
  /// Where a step is to be counted, made if needed; nullptr if it is closed or lost.
  OpenStep* open(std::int64_t step, std::int64_t epoch);

  /// Nobody will report the rest of these. Returns how many of them were not lost before.
  std::int64_t lose(std::int64_t first, std::int64_t last);
  /// All steps before this one count as closed, though nothing is known of some of them. False, and
  /// nothing is done, if something is known of some of them.
  bool skip_to(std::int64_t step);

  /// Closes steps from the beginning, as far as they are complete or lost, or more than `max_open`
  /// are open, which are then lost. Calls `closed` for each of which something is known.
  void advance(const std::function<void(const StepRow&)>& closed);

  /// Open steps that changed since this was last called.
  void take_dirty(std::vector<StepRow>& rows);
  void mark_dirty(OpenStep& step);

 private:
  bool is_lost(std::int64_t step) const;

  std::int64_t run_id_;
  std::int64_t max_open_;
  std::int32_t world_size_ = 0;
  std::int64_t closed_ = 0;
  std::map<std::int64_t, OpenStep> open_;
  Ranges lost_;
  std::int64_t lost_before_ = 0;
  std::vector<std::int64_t> dirty_;
};

}  // namespace convoy::dist
