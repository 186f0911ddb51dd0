// RunEntry: what it shows, and what is kept of it.
#include <algorithm>

#include "dist/coordinator/book/run_entry.h"

namespace convoy::dist {

v1::Run RunEntry::run(Time now) const {
  v1::Run run = run_row(now).status;
  *run.mutable_spec() = registration_.spec;
  return run;
}

RunRow RunEntry::run_row(Time now) const {
  RunRow row{.run_id = id_,
             .name = name(),
             .status = status_,
             .lost = ledger_.lost(),
             .lost_before = ledger_.lost_before(),
             .stop_requested = stop_requested_,
             .skip_gap = skip_gap_};
  row.so_far.set_epoch(epochs_.in_progress());
  set_message(*row.so_far.mutable_train(), epochs_.so_far());

  v1::Run& run = row.status;
  const bool ended = has_ended(state());
  if (ended) {
    run.clear_lease_expire_time();
  }
  epochs_.show(run, registration_.spec.epochs());
  run.set_images_per_second(speed_.images_per_second());
  if (!ended && speed_.images_per_second() > 0.0) {
    const double left = static_cast<double>(registration_.spec.steps() - run.step()) *
                        static_cast<double>(speed_.average_duration().count());
    constexpr double kLongest = 100.0 * 365 * 24 * 3600 * 1e9;
    *run.mutable_remaining() =
        to_message(nanoseconds(static_cast<std::int64_t>(std::clamp(left, 0.0, kLongest))));
  }
  run.set_ranks_alive(ended ? 0 : ranks_.count_heard_since(now - registration_.lease));
  run.set_lost_steps(ledger_.lost_steps());
  return row;
}

v1::Rank RunEntry::rank(std::int32_t number, Time now) const {
  v1::Rank rank = ranks_.show(number);
  rank.set_alive(!has_ended(state()) && ranks_.heard_since(number, now - registration_.lease));
  return rank;
}

void RunEntry::take_changes(Changes& changes, Time now) {
  if (registered_) {
    changes.registrations.push_back(registration_);
    registered_ = false;
  }
  if (dirty_) {
    changes.runs.push_back(run_row(now));
    dirty_ = false;
  }
  ranks_.take_changes(changes.ranks);
  changes.steps.insert(changes.steps.end(), std::make_move_iterator(closed_.begin()),
                       std::make_move_iterator(closed_.end()));
  closed_.clear();
  ledger_.take_dirty(changes.steps);
  epochs_.take_changes(changes.epochs);
  if (forget_steps_to_ > 0) {
    changes.forgotten_steps.emplace_back(id_, forget_steps_to_);
    forget_steps_to_ = 0;
  }
}

}  // namespace convoy::dist
