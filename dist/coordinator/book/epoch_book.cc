#include "dist/coordinator/book/epoch_book.h"

#include <algorithm>

#include "dist/coordinator/book/run_states.h"

namespace convoy::dist {
namespace {

constexpr std::size_t kMaxEpochs = 1000;

}  // namespace

std::int64_t EpochBook::begin(const v1::RegisterRunRequest& request, bool known,
                              const History& history) {
  const std::int64_t first_step = request.first_step();
  const std::int64_t length = request.spec().steps_per_epoch();
  const std::int64_t last_known = last_.epoch();
  const std::int64_t stays = std::max(
      first_step / length, request.epochs().empty() ? 0 : request.epochs().rbegin()->epoch());
  if (last_known > stays) {
    last_ = {};
  }
  const bool ask = known && first_step > 0;
  in_progress_ = first_step == 0 ? 0 : (first_step - 1) / length + 1;
  so_far_ = ask ? history(run_id_, in_progress_, first_step) : Totals{};

  epochs_.clear();
  for (const v1::EpochMetrics& metrics : request.epochs()) {
    if (metrics.epoch() > last_.epoch()) {
      set_last(metrics);
    }
    if (metrics.epoch() > last_known) {
      epochs_[metrics.epoch()] = {.metrics = metrics, .finished = true, .dirty = true};
    }
  }
  if (last_.epoch() > 0 && last_.epoch() <= last_known && ask) {
    set_message(*last_.mutable_aggregated(), history(run_id_, last_.epoch(), first_step));
  }
  const bool is_last = last_.epoch() == in_progress_;
  // Of one that is settled, what was added up is on disk alone, and stays there.
  const bool is_settled = !is_last && in_progress_ <= stays && in_progress_ < last_known &&
                          !epochs_.contains(in_progress_);
  if (in_progress_ > 0 && !is_settled) {
    Epoch& epoch = epochs_[in_progress_];
    if (is_last) {
      epoch.metrics = last_;
      epoch.finished = true;
    }
    epoch.metrics.set_epoch(in_progress_);
    epoch.aggregated = so_far_;
    epoch.dirty = true;
  }
  return stays;
}

void EpochBook::load(const SavedRun& saved) {
  in_progress_ = saved.run.so_far.epoch();
  so_far_ = from_message(saved.run.so_far.train());
  last_ = saved.run.status.last_epoch();
  for (const EpochRow& row : saved.epochs) {
    epochs_[row.metrics.epoch()] = {.metrics = row.metrics,
                                    .aggregated = from_message(row.metrics.aggregated()),
                                    .finished = row.finished};
  }
}

void EpochBook::count(std::int64_t number, const Totals& added) {
  auto found = epochs_.find(number);
  if (found == epochs_.end()) {
    if (number < in_progress_) {
      return;  // settled
    }
    make_room();
    found = epochs_.try_emplace(number).first;
    found->second.metrics.set_epoch(number);
  }
  found->second.aggregated += added;
  found->second.dirty = true;
}

void EpochBook::close(const StepRow& row) {
  if (row.epoch > in_progress_) {
    in_progress_ = row.epoch;
    so_far_ = {};
    drop_settled();
  }
  if (row.epoch == in_progress_) {
    so_far_ += row.sums;
  }
}

bool EpochBook::finish(const v1::EpochMetrics& metrics) {
  if (metrics.epoch() <= last_.epoch() && !epochs_.contains(metrics.epoch())) {
    return false;  // settled: what was added up of it is on disk alone
  }
  make_room();
  Epoch& epoch = epochs_[metrics.epoch()];
  const bool again = epoch.finished;
  epoch.metrics = metrics;
  epoch.finished = true;
  epoch.dirty = true;
  if (metrics.epoch() >= last_.epoch()) {
    set_last(metrics);
  }
  return !again;
}

void EpochBook::set_last(const v1::EpochMetrics& metrics) {
  last_ = metrics;
  last_.clear_aggregated();
}

void EpochBook::drop_settled() {
  std::erase_if(epochs_, [&](const auto& entry) {
    const auto& [number, epoch] = entry;
    const bool settled = number < in_progress_ && epoch.finished && !epoch.dirty;
    if (settled && number == last_.epoch()) {
      set_message(*last_.mutable_aggregated(), epoch.aggregated);
    }
    return settled;
  });
}

// A caller may name epochs as it likes.
void EpochBook::make_room() {
  if (epochs_.size() >= kMaxEpochs) {
    const auto saved =
        std::ranges::find_if(epochs_, [](const auto& entry) { return !entry.second.dirty; });
    if (saved != epochs_.end()) {
      epochs_.erase(saved);
    }
  }
}

void EpochBook::show(v1::Run& run, std::int64_t epochs) const {
  const std::int64_t finished = last_.epoch();
  const std::int64_t reached = has_ended(run.state()) ? finished : std::min(finished + 1, epochs);
  run.set_epoch(std::max(in_progress_, reached));
  set_message(*run.mutable_epoch_so_far(), run.epoch() == in_progress_ ? so_far_ : Totals{});
  if (finished > 0) {
    *run.mutable_last_epoch() = last_;
    if (const auto known = epochs_.find(finished); known != epochs_.end()) {
      set_message(*run.mutable_last_epoch()->mutable_aggregated(), known->second.aggregated);
    }
  }
}

void EpochBook::take_changes(std::vector<EpochRow>& rows) {
  for (auto& [number, epoch] : epochs_) {
    if (epoch.dirty) {
      epoch.dirty = false;
      EpochRow& row = rows.emplace_back();
      row.run_id = run_id_;
      row.finished = epoch.finished;
      row.metrics = epoch.metrics;
      set_message(*row.metrics.mutable_aggregated(), epoch.aggregated);
    }
  }
  drop_settled();
}

}  // namespace convoy::dist
