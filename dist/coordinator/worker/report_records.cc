#include "dist/coordinator/worker/report_records.h"

#include <utility>

#include "dist/coordinator/base/times.h"

namespace convoy::dist {
namespace {

// A message may have 1000 steps, 100 notes, and 64 KiB for each rank: a rank's part of a step takes
// about 45 bytes, and what all of its ranks share 40.
constexpr int kMaxSteps = 500;
constexpr int kMaxNotes = 100;
// Less than what a server takes at once, whatever the number of ranks.
constexpr std::size_t kMaxParts = 50'000;
// A note's and a reason's, in bytes.
constexpr std::size_t kMaxNote = 1024;
constexpr std::size_t kMaxReason = 4096;

// Cut to `bytes`, not within a character.
std::string shortened(const std::string& text, std::size_t bytes) {
  if (text.size() <= bytes) {
    return text;
  }
  std::size_t end = bytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
    --end;
  }
  return text.substr(0, end);
}

void add_step(v1::ReportProgressRequest& report, const StepRecord& record) {
  v1::StepReport& step = *report.add_steps();
  step.set_step(record.step);
  step.set_epoch(record.epoch);
  step.set_learning_rate(record.learning_rate);
  *step.mutable_duration() = to_message(record.duration);
  for (std::size_t i = 0; i < record.ranks.size(); ++i) {
    const StepRecord::Part& part = record.ranks[i];
    v1::RankStep& rank = *step.add_ranks();
    rank.set_rank(static_cast<std::int32_t>(i));
    rank.mutable_sums()->set_images(part.images);
    rank.mutable_sums()->set_correct(part.correct);
    rank.mutable_sums()->set_loss_sum(part.loss_sum);
    if (part.computing + part.waiting > nanoseconds::zero()) {
      *rank.mutable_computing() = to_message(part.computing);
      *rank.mutable_waiting() = to_message(part.waiting);
    }
  }
}

// Makes messages one after the other; steps, losses and notes share one as long as they may.
class Writer {
 public:
  explicit Writer(Speaker& speaker) : speaker_(speaker) {}

  void add(const StepRecord& step) {
    if (report_.steps_size() == kMaxSteps || parts_ + step.ranks.size() > kMaxParts) {
      finish_report();
    }
    parts_ += step.ranks.size();
    add_step(report_, step);
  }
  void add(const v1::StepRange& lost) { *report_.add_lost() = lost; }
  void operator()(const v1::Note& note) {
    if (report_.notes_size() == kMaxNotes) {
      finish_report();
    }
    v1::Note& added = *report_.add_notes();
    added.set_severity(note.severity());
    added.set_text(shortened(note.text(), kMaxNote));
  }
  void operator()(const v1::EpochMetrics& epoch) {
    finish_report();
    v1::FinishEpochRequest& request = *records_.emplace_back().mutable_epoch();
    sign(request);
    *request.mutable_epoch() = epoch;
  }
  void operator()(const ReportQueue::RunEnd& end) {
    finish_report();
    v1::FinishRunRequest& request = *records_.emplace_back().mutable_end();
    sign(request);
    request.set_state(end.state);
    request.set_reason(shortened(end.reason, kMaxReason));
  }

  std::vector<v1::JournalRecord> finish() {
    finish_report();
    return std::move(records_);
  }

 private:
  template <typename Request>
  void sign(Request& request) {
    request.set_run(speaker_.run);
    request.set_generation(speaker_.generation);
    request.set_rank(0);
    request.set_sequence(speaker_.next_sequence++);
  }

  void finish_report() {
    if (report_.steps_size() + report_.lost_size() + report_.notes_size() > 0) {
      sign(report_);
      records_.emplace_back().mutable_progress()->Swap(&report_);
      report_.Clear();
    }
    parts_ = 0;
  }

  Speaker& speaker_;
  v1::ReportProgressRequest report_;
  std::size_t parts_ = 0;
  std::vector<v1::JournalRecord> records_;
};

}  // namespace

std::vector<v1::JournalRecord> to_records(const ReportQueue::Batch& batch, Speaker& speaker) {
  Writer writer(speaker);
  if (batch.lost.first() > 0) {
    writer.add(batch.lost);
  }
  auto event = batch.events.begin();
  for (const StepRecord& step : batch.steps) {
    for (; event != batch.events.end() && event->after_step < step.step; ++event) {
      std::visit(writer, event->what);
    }
    writer.add(step);
  }
  for (; event != batch.events.end(); ++event) {
    std::visit(writer, event->what);
  }
  return writer.finish();
}

}  // namespace convoy::dist
