// RunEntry: what it shows, and what is kept of it.
#include <algorithm>

#include "dist/coordinator/book/run_entry.h"

namespace convoy::dist {

bool RunEntry::alive(const RankState& rank, Time now) const {
  return !has_ended(state()) && now <= rank.last_seen + registration_.lease;
}

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
  row.so_far.set_epoch(so_far_epoch_);
  set_message(*row.so_far.mutable_train(), so_far_);

  v1::Run& run = row.status;
  const bool ended = has_ended(state());
  if (ended) {
    run.clear_lease_expire_time();
  }
  const std::int64_t epochs = registration_.spec.epochs();
  const std::int64_t finished = run.last_epoch().epoch();
  const std::int64_t reached = ended ? finished : std::min(finished + 1, epochs);
  run.set_epoch(std::max(so_far_epoch_, reached));
  set_message(*run.mutable_epoch_so_far(), run.epoch() == so_far_epoch_ ? so_far_ : Totals{});
  if (const auto known = epochs_.find(finished); known != epochs_.end()) {
    set_message(*run.mutable_last_epoch()->mutable_aggregated(), known->second.aggregated);
  }
  run.set_images_per_second(speed_.images_per_second());
  if (!ended && speed_.images_per_second() > 0.0) {
    const double left = static_cast<double>(registration_.spec.steps() - run.step()) *
                        static_cast<double>(speed_.average_duration().count());
    constexpr double kLongest = 100.0 * 365 * 24 * 3600 * 1e9;
    *run.mutable_remaining() =
        to_message(nanoseconds(static_cast<std::int64_t>(std::clamp(left, 0.0, kLongest))));
  }
  run.set_ranks_alive(static_cast<std::int32_t>(
      std::ranges::count_if(ranks_, [&](const RankState& rank) { return alive(rank, now); })));
  run.set_lost_steps(ledger_.lost_steps());
  return row;
}

RankRow RunEntry::row(std::int32_t number) const {
  const RankState& rank = ranks_[static_cast<std::size_t>(number)];
  RankRow row = rank.before;
  row.run_id = id_;
  row.rank = number;
  row.acknowledged = rank.acknowledged;
  row.step = rank.step;
  row.last_seen = rank.last_seen;
  if (const double speed = rank.speed.images_per_second(); speed > 0.0) {
    row.images_per_second = speed;
  }
  if (rank.computing.count() > 0) {
    row.computing = nanoseconds(static_cast<std::int64_t>(rank.computing.average()));
    row.waiting = nanoseconds(static_cast<std::int64_t>(rank.waiting.average()));
  }
  return row;
}

v1::Rank RunEntry::rank(std::int32_t number, Time now) const {
  const RankState& state = ranks_.at(static_cast<std::size_t>(number));
  const RankRow figures = row(number);
  v1::Rank rank;
  *rank.mutable_info() = state.info;
  rank.set_step(figures.step);
  rank.set_images_per_second(figures.images_per_second);
  *rank.mutable_computing() = to_message(figures.computing);
  *rank.mutable_waiting() = to_message(figures.waiting);
  *rank.mutable_last_seen_time() = to_message(figures.last_seen);
  rank.set_alive(alive(state, now));
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
  for (const std::int32_t rank : dirty_ranks_) {
    ranks_[static_cast<std::size_t>(rank)].dirty = false;
    changes.ranks.push_back(row(rank));
  }
  dirty_ranks_.clear();
  changes.steps.insert(changes.steps.end(), std::make_move_iterator(closed_.begin()),
                       std::make_move_iterator(closed_.end()));
  closed_.clear();
  ledger_.take_dirty(changes.steps);
  for (auto& [number, epoch] : epochs_) {
    if (epoch.dirty) {
      epoch.dirty = false;
      EpochRow& row = changes.epochs.emplace_back();
      row.run_id = id_;
      row.finished = epoch.finished;
      row.metrics = epoch.metrics;
      set_message(*row.metrics.mutable_aggregated(), epoch.aggregated);
    }
  }
  drop_settled_epochs();
  if (forget_steps_to_ > 0) {
    changes.forgotten_steps.emplace_back(id_, forget_steps_to_);
    forget_steps_to_ = 0;
  }
}

}  // namespace convoy::dist
