// RunEntry: steps, epochs and who is slow.
#include <algorithm>
#include <limits>

#include "dist/coordinator/base/refusal.h"
#include "dist/coordinator/book/run_entry.h"

namespace convoy::dist {
namespace {

// Steps that a rank must have computed before it is compared.
constexpr std::int64_t kMinSteps = 5;
// A straggler that was named is gone when it is below this: less than what names it, or one at the
// border would come and go all the time.
constexpr double kGoneFactor = 1.1;
constexpr std::chrono::seconds kStragglerQuiet{10};
constexpr std::size_t kMaxEpochs = 1000;

}  // namespace

void RunEntry::check_epochs(const v1::ReportProgressRequest& request) const {
  for (const v1::StepReport& step : request.steps()) {
    const StepLedger::OpenStep* open = ledger_.find(step.step());
    if (open != nullptr && open->row.epoch != step.epoch()) {
      refuse(Refusal::Kind::kInvalidArgument,
             "step {} is reported as of epoch {}, but another rank reported it as of epoch {}",
             step.step(), step.epoch(), open->row.epoch);
    }
  }
}

// What lies before the first steps that a caller still has is not known here and never will be.
void RunEntry::close_gap(const v1::ReportProgressRequest& request) {
  if (!skip_gap_ || (request.steps().empty() && request.lost().empty())) {
    return;
  }
  skip_gap_ = false;
  std::int64_t first = std::numeric_limits<std::int64_t>::max();
  if (!request.steps().empty()) {
    first = request.steps(0).step();
  }
  for (const v1::StepRange& range : request.lost()) {
    first = std::min(first, range.first());
  }
  if (!ledger_.skip_to(first)) {
    ledger_.lose(ledger_.closed() + 1, first - 1);
  }
  advance();
}

void RunEntry::lose(const v1::ReportProgressRequest& request, Time now) {
  std::int64_t lost = 0;
  for (const v1::StepRange& range : request.lost()) {
    lost += ledger_.lose(range.first(), range.last());
  }
  if (lost > 0) {
    events_.warning(
        now, name(),
        fmt::format("rank {} had to drop the reports of {} steps, from {} to {}", request.rank(),
                    lost, request.lost().begin()->first(), request.lost().rbegin()->last()));
    advance();
  }
}

void RunEntry::advance() {
  ledger_.advance([&](const StepRow& row) { close(row); });
  status_.set_step(ledger_.closed());
  forget_old_steps();
}

void RunEntry::count(const v1::StepReport& report, Time now) {
  if (report.ranks().empty()) {
    return;
  }
  StepLedger::OpenStep* open = ledger_.open(report.step(), report.epoch());
  const nanoseconds duration = from_message(report.duration());
  Totals added;
  std::int32_t counted = 0;
  for (const v1::RankStep& part : report.ranks()) {
    seen(part.rank(), now);
    if (open == nullptr || open->has(part.rank())) {
      continue;
    }
    open->set(part.rank());
    ++counted;
    added += from_message(part.sums());
    RankState& rank = ranks_[static_cast<std::size_t>(part.rank())];
    rank.step = std::max(rank.step, report.step());
    rank.speed.add(part.sums().images(), duration);
    if (part.has_computing()) {
      rank.computing.add(from_message(part.computing()).count());
      rank.waiting.add(from_message(part.waiting()).count());
    }
  }
  if (counted == 0) {
    return;
  }
  open->row.sums += added;
  open->row.learning_rate = report.learning_rate();
  open->row.duration = std::max(open->row.duration, duration);
  ledger_.mark_dirty(*open);
  if (Epoch* epoch = aggregating(report.epoch()); epoch != nullptr) {
    epoch->aggregated += added;
    epoch->dirty = true;
  }
}

void RunEntry::close(const StepRow& row) {
  closed_.push_back(row);
  speed_.add(row.sums.images, row.duration);
  status_.set_learning_rate(row.learning_rate);
  if (row.epoch > so_far_epoch_) {
    so_far_epoch_ = row.epoch;
    so_far_ = {};
    drop_settled_epochs();
  }
  if (row.epoch == so_far_epoch_) {
    so_far_ += row.sums;
  }
}

void RunEntry::forget_old_steps() {
  const std::int64_t last = status_.step() - limits_.steps_per_run;
  // Not for each step, for deleting has its price; so a hundredth more than the limit may be kept.
  if (last > forgotten_steps_ + limits_.steps_per_run / 100) {
    forgotten_steps_ = last;
    forget_steps_to_ = last;
  }
}

RunEntry::Epoch* RunEntry::aggregating(std::int64_t epoch) {
  const auto found = epochs_.find(epoch);
  if (found != epochs_.end()) {
    return &found->second;
  }
  if (epoch < so_far_epoch_) {
    return nullptr;  // settled
  }
  bound_epochs();
  Epoch& made = epochs_[epoch];
  made.metrics.set_epoch(epoch);
  return &made;
}

void RunEntry::drop_settled_epochs() {
  std::erase_if(epochs_, [&](const auto& entry) {
    const auto& [number, epoch] = entry;
    const bool settled = number < so_far_epoch_ && epoch.finished && !epoch.dirty;
    if (settled && number == status_.last_epoch().epoch()) {
      set_message(*status_.mutable_last_epoch()->mutable_aggregated(), epoch.aggregated);
    }
    return settled;
  });
}

// A caller may name epochs as it likes.
void RunEntry::bound_epochs() {
  if (epochs_.size() >= kMaxEpochs) {
    const auto saved =
        std::ranges::find_if(epochs_, [](const auto& entry) { return !entry.second.dirty; });
    if (saved != epochs_.end()) {
      epochs_.erase(saved);
    }
  }
}

void RunEntry::begin_epochs(const v1::RegisterRunRequest& request, const History& history) {
  const std::int64_t first_step = request.first_step();
  const std::int64_t length = request.spec().steps_per_epoch();
  const std::int64_t known = status_.last_epoch().epoch();
  registration_.last_epoch = std::max(
      first_step / length, request.epochs().empty() ? 0 : request.epochs().rbegin()->epoch());
  if (known > registration_.last_epoch) {
    status_.clear_last_epoch();
  }
  const bool ask = status_.generation() > 0 && first_step > 0;
  so_far_epoch_ = first_step == 0 ? 0 : (first_step - 1) / length + 1;
  so_far_ = ask ? history(id_, so_far_epoch_, first_step) : Totals{};

  epochs_.clear();
  for (const v1::EpochMetrics& metrics : request.epochs()) {
    if (metrics.epoch() > status_.last_epoch().epoch()) {
      *status_.mutable_last_epoch() = metrics;
      status_.mutable_last_epoch()->clear_aggregated();
    }
    if (metrics.epoch() > known) {
      epochs_[metrics.epoch()] = {.metrics = metrics, .finished = true, .dirty = true};
    }
  }
  if (known > 0 && status_.has_last_epoch() && status_.last_epoch().epoch() <= known && ask) {
    set_message(*status_.mutable_last_epoch()->mutable_aggregated(),
                history(id_, status_.last_epoch().epoch(), first_step));
  }
  const bool is_last = status_.last_epoch().epoch() == so_far_epoch_;
  // Of one that is settled, what was added up is on disk alone, and stays there.
  const bool is_settled = !is_last && so_far_epoch_ <= registration_.last_epoch &&
                          so_far_epoch_ < known && !epochs_.contains(so_far_epoch_);
  if (so_far_epoch_ > 0 && !is_settled) {
    Epoch& epoch = epochs_[so_far_epoch_];
    if (is_last) {
      epoch.metrics = status_.last_epoch();
      epoch.finished = true;
    }
    epoch.metrics.set_epoch(so_far_epoch_);
    epoch.aggregated = so_far_;
    epoch.dirty = true;
  }
}

void RunEntry::finish_epoch(const v1::FinishEpochRequest& request, Time now) {
  const bool next = is_next(request.rank(), request.sequence());
  heard(now);
  seen(request.rank(), now);
  if (!next) {
    return;
  }
  acknowledge(request.rank(), request.sequence());
  const v1::EpochMetrics& metrics = request.epoch();
  if (metrics.epoch() <= status_.last_epoch().epoch() && !epochs_.contains(metrics.epoch())) {
    return;  // settled: what was added up of it is on disk alone
  }
  bound_epochs();
  Epoch& epoch = epochs_[metrics.epoch()];
  const bool again = epoch.finished;
  epoch.metrics = metrics;
  epoch.finished = true;
  epoch.dirty = true;
  if (metrics.epoch() >= status_.last_epoch().epoch()) {
    *status_.mutable_last_epoch() = metrics;
    status_.mutable_last_epoch()->clear_aggregated();
  }
  if (!again) {
    const auto part = [](const v1::Sums& sums) {
      const double images = static_cast<double>(std::max<std::int64_t>(sums.images(), 1));
      return fmt::format("loss {:.4f}, accuracy {:.2f}%", sums.loss_sum() / images,
                         100.0 * static_cast<double>(sums.correct()) / images);
    };
    events_.info(now, name(),
                 fmt::format("epoch {} finished: {}; test {}", metrics.epoch(),
                             part(metrics.train()), part(metrics.test())));
  }
}

void RunEntry::name_straggler(Time now) {
  std::vector<double> computing;
  computing.reserve(ranks_.size());
  for (const RankState& rank : ranks_) {
    if (rank.computing.count() < kMinSteps) {
      return;
    }
    computing.push_back(rank.computing.average());
  }
  const std::optional<Slowest> slowest = find_slowest(computing);
  if (!slowest || has_ended(state())) {
    return;
  }
  const std::string& host = ranks_[static_cast<std::size_t>(slowest->rank)].info.host();
  const bool slow = slowest->factor > kStragglerFactor;
  if (slow) {
    v1::Straggler& straggler = *status_.mutable_straggler();
    straggler.set_rank(slowest->rank);
    straggler.set_host(host);
    straggler.set_factor(slowest->factor);
  } else {
    status_.clear_straggler();
  }
  if (now - straggler_event_ < kStragglerQuiet) {
    return;
  }
  if (slow && named_straggler_ != slowest->rank) {
    named_straggler_ = slowest->rank;
    straggler_event_ = now;
    events_.warning(now, name(),
                    fmt::format("rank {} ({}) is slow: it computes {:.2f} times as long as the "
                                "median rank",
                                slowest->rank, host, slowest->factor));
  } else if (named_straggler_ >= 0 && slowest->factor < kGoneFactor) {
    events_.info(now, name(), fmt::format("rank {} is no longer slow", named_straggler_));
    named_straggler_ = -1;
    straggler_event_ = now;
  }
}

}  // namespace convoy::dist
