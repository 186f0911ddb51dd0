#include "dist/coordinator/worker/report_queue.h"

#include <algorithm>
#include <utility>

namespace convoy::dist {
namespace {

std::int64_t bytes_of(const StepRecord& step) {
  return static_cast<std::int64_t>(sizeof(StepRecord) +
                                   step.ranks.size() * sizeof(StepRecord::Part));
}

}  // namespace

void ReportQueue::put(StepRecord step) {
  const std::lock_guard lock(mutex_);
  last_step_ = step.step;
  bytes_ += bytes_of(step);
  batch_.steps.push_back(std::move(step));
  while (static_cast<std::int64_t>(batch_.steps.size()) > limits_.steps || bytes_ > limits_.bytes) {
    drop_oldest();
  }
}

// The dropped ones follow each other, so that one range tells of them all.
void ReportQueue::drop_oldest() {
  const StepRecord& oldest = batch_.steps.front();
  if (batch_.lost.first() == 0) {
    batch_.lost.set_first(oldest.step);
  }
  batch_.lost.set_last(oldest.step);
  bytes_ -= bytes_of(oldest);
  batch_.steps.pop_front();
}

void ReportQueue::put(v1::Note note) {
  const std::lock_guard lock(mutex_);
  if (notes_ == limits_.notes) {
    batch_.events.erase(std::ranges::find_if(batch_.events, [](const Event& event) {
      return std::holds_alternative<v1::Note>(event.what);
    }));
    --notes_;
  }
  ++notes_;
  put_event({.after_step = last_step_, .what = std::move(note)});
}

void ReportQueue::put(v1::EpochMetrics epoch) {
  const std::lock_guard lock(mutex_);
  put_event({.after_step = last_step_, .what = std::move(epoch)});
}

void ReportQueue::put(RunEnd end) {
  const std::lock_guard lock(mutex_);
  put_event({.after_step = last_step_, .what = std::move(end)});
}

void ReportQueue::put_event(Event event) {
  batch_.events.push_back(std::move(event));
}

ReportQueue::Batch ReportQueue::take() {
  const std::lock_guard lock(mutex_);
  bytes_ = 0;
  notes_ = 0;
  return std::exchange(batch_, {});
}

}  // namespace convoy::dist
