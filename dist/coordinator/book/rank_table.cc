#include "dist/coordinator/book/rank_table.h"

#include <algorithm>

#include "dist/coordinator/base/refusal.h"

namespace convoy::dist {
namespace {

// Steps that a rank must have computed before it is compared.
constexpr std::int64_t kMinSteps = 5;

}  // namespace

void RankTable::begin(const std::vector<v1::RankInfo>& infos, std::int64_t told, Time now) {
  ranks_.clear();
  dirty_.clear();
  for (const v1::RankInfo& info : infos) {
    const std::int64_t others = told > 0 ? -1 : 0;
    ranks_.push_back(
        {.info = info, .acknowledged = info.rank() == 0 ? told : others, .last_seen = now});
    change(info.rank());
  }
}

void RankTable::load(const std::vector<v1::RankInfo>& infos, const std::vector<RankRow>& rows) {
  for (const RankRow& row : rows) {
    ranks_.push_back({.info = infos.at(ranks_.size()),
                      .acknowledged = row.acknowledged,
                      .step = row.step,
                      .last_seen = row.last_seen,
                      .before = row});
  }
}

bool RankTable::is_next(std::int32_t rank, std::int64_t sequence) const {
  const std::int64_t last = at(rank).acknowledged;
  if (last >= 0 && sequence > last + 1) {
    refuse(
        Refusal::Kind::kAborted,
        "sequence is {} after {} of rank {} of run '{}': a report is missing; send again from {}",
        sequence, last, rank, run_, last + 1);
  }
  return sequence > last;
}

void RankTable::acknowledge(std::int32_t rank, std::int64_t sequence) {
  change(rank).acknowledged = sequence;
}

std::int64_t RankTable::acknowledged(std::int32_t rank) const {
  return std::max<std::int64_t>(ranks_.at(static_cast<std::size_t>(rank)).acknowledged, 0);
}

bool RankTable::skip_to(std::int64_t sequence) {
  const std::int64_t last = at(0).acknowledged;
  if (last < 0 || sequence - 1 <= last) {
    return false;
  }
  acknowledge(0, sequence - 1);
  return true;
}

void RankTable::seen(std::int32_t rank, Time now) {
  change(rank).last_seen = now;
}

void RankTable::count(const v1::RankStep& part, std::int64_t step, nanoseconds duration) {
  State& rank = change(part.rank());
  rank.step = std::max(rank.step, step);
  rank.speed.add(part.sums().images(), duration);
  if (part.has_computing()) {
    rank.computing.add(from_message(part.computing()).count());
    rank.waiting.add(from_message(part.waiting()).count());
  }
}

std::vector<double> RankTable::computing() const {
  std::vector<double> averages;
  averages.reserve(ranks_.size());
  for (const State& rank : ranks_) {
    if (rank.computing.count() < kMinSteps) {
      return {};
    }
    averages.push_back(rank.computing.average());
  }
  return averages;
}

std::int32_t RankTable::count_heard_since(Time time) const {
  return static_cast<std::int32_t>(
      std::ranges::count_if(ranks_, [&](const State& rank) { return rank.last_seen >= time; }));
}

RankRow RankTable::row(std::int32_t number) const {
  const State& rank = at(number);
  RankRow row = rank.before;
  row.run_id = run_id_;
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

v1::Rank RankTable::show(std::int32_t number) const {
  v1::Rank rank;
  *rank.mutable_info() = ranks_.at(static_cast<std::size_t>(number)).info;
  const RankRow figures = row(number);
  rank.set_step(figures.step);
  rank.set_images_per_second(figures.images_per_second);
  *rank.mutable_computing() = to_message(figures.computing);
  *rank.mutable_waiting() = to_message(figures.waiting);
  *rank.mutable_last_seen_time() = to_message(figures.last_seen);
  return rank;
}

RankTable::State& RankTable::change(std::int32_t rank) {
  State& state = ranks_[static_cast<std::size_t>(rank)];
  if (!state.dirty) {
    state.dirty = true;
    dirty_.push_back(rank);
  }
  return state;
}

void RankTable::take_changes(std::vector<RankRow>& rows) {
  for (const std::int32_t rank : dirty_) {
    ranks_[static_cast<std::size_t>(rank)].dirty = false;
    rows.push_back(row(rank));
  }
  dirty_.clear();
}

}  // namespace convoy::dist
