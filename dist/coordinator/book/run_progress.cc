// RunEntry: what reports of steps and epochs do, and who is slow.
#include <algorithm>
#include <limits>

#include "dist/coordinator/base/refusal.h"
#include "dist/coordinator/book/run_entry.h"

namespace convoy::dist {

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
    ranks_.seen(part.rank(), now);
    if (open == nullptr || open->has(part.rank())) {
      continue;
    }
    open->set(part.rank());
    ++counted;
    added += from_message(part.sums());
    ranks_.count(part, report.step(), duration);
  }
  if (counted == 0) {
    return;
  }
  open->row.sums += added;
  open->row.learning_rate = report.learning_rate();
  open->row.duration = std::max(open->row.duration, duration);
  ledger_.mark_dirty(*open);
  epochs_.count(report.epoch(), added);
}

void RunEntry::close(const StepRow& row) {
  closed_.push_back(row);
  speed_.add(row.sums.images, row.duration);
  status_.set_learning_rate(row.learning_rate);
  epochs_.close(row);
}

void RunEntry::forget_old_steps() {
  const std::int64_t last = status_.step() - limits_.steps_per_run;
  // Not for each step, for deleting has its price; so a hundredth more than the limit may be kept.
  if (last > forgotten_steps_ + limits_.steps_per_run / 100) {
    forgotten_steps_ = last;
    forget_steps_to_ = last;
  }
}

void RunEntry::finish_epoch(const v1::FinishEpochRequest& request, Time now) {
  if (!take(request.rank(), request.sequence(), now)) {
    return;
  }
  const v1::EpochMetrics& metrics = request.epoch();
  if (epochs_.finish(metrics)) {
    const auto part = [](const v1::Sums& sums) {
      const double images = static_cast<double>(std::max<std::int64_t>(sums.images(), 1));
      const double loss = sums.loss_sum() / images;
      return fmt::format("loss {}, accuracy {:.2f} %",
                         loss < 1e4 ? fmt::format("{:.4f}", loss) : fmt::format("{:.4g}", loss),
                         100.0 * static_cast<double>(sums.correct()) / images);
    };
    events_.info(now, name(),
                 fmt::format("epoch {} finished: {}; test {}", metrics.epoch(),
                             part(metrics.train()), part(metrics.test())));
  }
}

void RunEntry::name_straggler(Time now) {
  if (has_ended(state())) {
    return;
  }
  const std::int32_t before = straggler_.named() ? straggler_.named()->rank : -1;
  straggler_.look(ranks_.computing(), now);
  if (const std::optional<Slow>& slow = straggler_.named()) {
    v1::Straggler& straggler = *status_.mutable_straggler();
    straggler.set_rank(slow->rank);
    straggler.set_host(ranks_.info(slow->rank).host());
    straggler.set_factor(slow->factor);
    if (slow->rank != before) {
      events_.warning(now, name(),
                      fmt::format("rank {} ({}) is slow: it computes {:.2f} times as long as the "
                                  "median rank",
                                  slow->rank, straggler.host(), slow->factor));
    }
  } else if (before >= 0) {
    status_.clear_straggler();
    events_.info(now, name(), fmt::format("rank {} is no longer slow", before));
  }
}

}  // namespace convoy::dist
