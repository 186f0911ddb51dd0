#include "dist/coordinator/book/step_ledger.h"

#include <algorithm>

namespace convoy::dist {
namespace {

// Ranges of lost steps that are kept apart; of more, the first are only counted.
constexpr std::size_t kMaxRanges = 1000;

}  // namespace

void StepLedger::begin(std::int64_t step, std::int32_t world_size) {
  world_size_ = world_size;
  closed_ = step;
  open_.clear();
  dirty_.clear();
  while (!lost_.empty() && lost_.back().first > step) {
    lost_.pop_back();
  }
  if (!lost_.empty()) {
    lost_.back().second = std::min(lost_.back().second, step);
  }
}

void StepLedger::load(std::int64_t closed, std::int32_t world_size, const SavedRun& saved) {
  world_size_ = world_size;
  closed_ = closed;
  lost_ = saved.run.lost;
  lost_before_ = saved.run.lost_before;
  for (const StepRow& row : saved.open_steps) {
    OpenStep& step = open_[row.step];
    step.row = row;
    step.row.reported.resize(static_cast<std::size_t>((world_size + 7) / 8));
  }
}

std::int64_t StepLedger::lost_steps() const {
  std::int64_t count = lost_before_;
  for (const auto& [first, last] : lost_) {
    count += last - first + 1;
  }
  return count;
}

bool StepLedger::is_lost(std::int64_t step) const {
  const auto after =
      std::ranges::upper_bound(lost_, step, {}, [](const auto& range) { return range.first; });
  return after != lost_.begin() && std::prev(after)->second >= step;
}

const StepLedger::OpenStep* StepLedger::find(std::int64_t step) const {
  const auto found = open_.find(step);
  return found == open_.end() ? nullptr : &found->second;
}

StepLedger::OpenStep* StepLedger::open(std::int64_t step, std::int64_t epoch) {
  if (step <= closed_ || is_lost(step)) {
    return nullptr;
  }
  const auto [place, made] = open_.try_emplace(step);
  if (made) {
    StepRow& row = place->second.row;
    row.run_id = run_id_;
    row.step = step;
    row.epoch = epoch;
    row.reported.resize(static_cast<std::size_t>((world_size_ + 7) / 8));
  }
  return &place->second;
}

std::int64_t StepLedger::lose(std::int64_t first, std::int64_t last) {
  first = std::max(first, closed_ + 1);
  if (first > last) {
    return 0;
  }
  const std::int64_t before = lost_steps();
  const std::pair added_range(first, last);
  lost_.insert(std::ranges::upper_bound(lost_, added_range), added_range);
  Ranges joined;
  for (const auto& range : lost_) {
    if (!joined.empty() && range.first <= joined.back().second + 1) {
      joined.back().second = std::max(joined.back().second, range.second);
    } else {
      joined.push_back(range);
    }
  }
  lost_ = std::move(joined);
  const std::int64_t added = lost_steps() - before;
  while (lost_.size() > kMaxRanges) {
    lost_before_ += lost_.front().second - lost_.front().first + 1;
    lost_.erase(lost_.begin());
  }
  return added;
}

bool StepLedger::skip_to(std::int64_t step) {
  if (!open_.empty() && open_.begin()->first < step) {
    return false;
  }
  closed_ = std::max(closed_, step - 1);
  return true;
}

void StepLedger::advance(const std::function<void(const StepRow&)>& closed) {
  for (;;) {
    const auto first = open_.begin();
    const bool next_is_open = first != open_.end() && first->first == closed_ + 1;
    if (next_is_open && (first->second.row.ranks == world_size_ || is_lost(closed_ + 1))) {
      first->second.row.reported.clear();
      closed(first->second.row);
      open_.erase(first);
      ++closed_;
    } else if (!next_is_open && is_lost(closed_ + 1)) {
      const auto range = std::prev(std::ranges::upper_bound(
          lost_, closed_ + 1, {}, [](const auto& lost) { return lost.first; }));
      closed_ = first == open_.end() ? range->second : std::min(range->second, first->first - 1);
    } else if (static_cast<std::int64_t>(open_.size()) > max_open_) {
      lose(closed_ + 1, first->first);
    } else {
      return;
    }
  }
}

void StepLedger::mark_dirty(OpenStep& step) {
  if (!step.dirty) {
    step.dirty = true;
    dirty_.push_back(step.row.step);
  }
}

void StepLedger::take_dirty(std::vector<StepRow>& rows) {
  for (const std::int64_t number : dirty_) {
    if (const auto found = open_.find(number); found != open_.end() && found->second.dirty) {
      found->second.dirty = false;
      rows.push_back(found->second.row);
    }
  }
  dirty_.clear();
}

}  // namespace convoy::dist
