// What training has to tell, until the reporter's thread takes it: a bounded queue into which
// training puts without ever waiting.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

#include "convoy/v1/coordinator.pb.h"

namespace convoy::dist {

/// One optimizer step, as the message StepReport tells of it.
struct StepRecord {
  struct Part {
    std::int64_t images = 0;
    std::int64_t correct = 0;
    double loss_sum = 0.0;
    std::chrono::nanoseconds computing{0};  ///< of the step before; both 0 if not known
    std::chrono::nanoseconds waiting{0};
  };
  std::int64_t step = 0;
  std::int64_t epoch = 0;
  double learning_rate = 0.0;
  std::chrono::nanoseconds duration{0};
  std::vector<Part> ranks = {};  ///< by rank
};

/// How much is kept that the coordinator has not taken yet. Beyond, the oldest steps are dropped,
/// and told as lost; epochs and the end of the run are never dropped.
struct ReportLimits {
  std::int64_t steps = 65'536;
  std::int64_t bytes = 64 << 20;
  std::size_t notes = 1000;  ///< for people; the oldest are dropped silently
};

/// Thread safe.
class ReportQueue {
 public:
  struct RunEnd {
    v1::RunState state = v1::RUN_STATE_UNSPECIFIED;
    std::string reason = {};
  };
  /// What is told beside steps, and the last step that came before it.
  struct Event {
    std::int64_t after_step = 0;
    std::variant<v1::Note, v1::EpochMetrics, RunEnd> what;
  };
  struct Batch {
    v1::StepRange lost;  ///< the steps before `steps` that were dropped; first is 0 if none
    std::deque<StepRecord> steps;
    std::deque<Event> events;
    bool empty() const { return lost.first() == 0 && steps.empty() && events.empty(); }
  };

  explicit ReportQueue(const ReportLimits& limits) : limits_(limits) {}

  void put(StepRecord step);
  void put(v1::Note note);
  void put(v1::EpochMetrics epoch);
  void put(RunEnd end);
  /// All that is there, in order.
  Batch take();

 private:
  void put_event(Event event);
  void drop_oldest();

  const ReportLimits limits_;
  std::mutex mutex_;  // for what follows
  Batch batch_;
  std::int64_t bytes_ = 0;
  std::size_t notes_ = 0;
  std::int64_t last_step_ = 0;
};

}  // namespace convoy::dist
