// What of a RunBook is kept: plain rows, between run_book.h, which says what changed, and store.h,
// which saves and loads them. Runs are named by a number here, for rows are many.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "convoy/v1/run.pb.h"
#include "dist/coordinator/base/times.h"

namespace convoy::dist {

/// v1::Sums without its cost.
struct Totals {
  std::int64_t images = 0;
  std::int64_t correct = 0;
  double loss_sum = 0.0;

  Totals& operator+=(const Totals& other) {
    images += other.images;
    correct += other.correct;
    loss_sum += other.loss_sum;
    return *this;
  }
  bool operator==(const Totals&) const = default;
};

inline Totals from_message(const v1::Sums& sums) {
  return {.images = sums.images(), .correct = sums.correct(), .loss_sum = sums.loss_sum()};
}
inline void set_message(v1::Sums& sums, const Totals& totals) {
  sums.set_images(totals.images);
  sums.set_correct(totals.correct);
  sums.set_loss_sum(totals.loss_sum);
}

struct StepRow {
  std::int64_t run_id = 0;
  std::int64_t step = 0;
  std::int64_t epoch = 0;
  Totals sums = {};
  double learning_rate = 0.0;
  nanoseconds duration{0};
  std::int32_t ranks = 0;
  /// A bit per rank that was counted, from the lowest bit of the first byte; empty when no more are
  /// expected.
  std::string reported = {};
};

struct RankRow {
  std::int64_t run_id = 0;
  std::int32_t rank = 0;
  std::int64_t acknowledged = 0;  ///< -1: the next report's sequence is taken, whatever it is
  std::int64_t step = 0;
  Time last_seen = {};
  double images_per_second = 0.0;
  nanoseconds computing{0};
  nanoseconds waiting{0};
};

struct EpochRow {
  std::int64_t run_id = 0;
  bool finished = false;
  v1::EpochMetrics metrics = {};  ///< with `aggregated`
};

/// What changes while a run goes on.
struct RunRow {
  std::int64_t run_id = 0;
  std::string name = {};
  v1::Run status = {};           ///< without `spec`
  v1::EpochMetrics so_far = {};  ///< `epoch` and `train`, up to status.step()
  std::vector<std::pair<std::int64_t, std::int64_t>> lost = {};  ///< first to last, in order
  std::int64_t lost_before = 0;  ///< steps lost that are not in `lost`
  bool stop_requested = false;
  bool skip_gap = false;  ///< the first step that is reported next closes all before it
};

/// What a registration fixes. Saving it forgets what was known of the run beyond first_step.
struct RegistrationRow {
  std::int64_t run_id = 0;
  std::string name = {};
  std::int64_t registration = 0;  ///< grows with each registration of any run
  std::string attempt = {};
  std::int64_t first_step = 0;
  std::int64_t last_epoch = 0;  ///< the last finished one that stays
  nanoseconds lease{0};
  v1::RunSpec spec = {};
  std::vector<v1::RankInfo> ranks = {};
};

/// What is to be saved, in this order, all or nothing.
struct Changes {
  std::vector<RegistrationRow> registrations = {};
  std::vector<RunRow> runs = {};
  std::vector<RankRow> ranks = {};
  std::vector<StepRow> steps = {};
  std::vector<EpochRow> epochs = {};
  std::vector<v1::Event> events = {};
  /// Steps of a run up to and with this one.
  std::vector<std::pair<std::int64_t, std::int64_t>> forgotten_steps = {};
  std::int64_t forgotten_events = 0;  ///< up to and with this sequence
  std::vector<std::pair<std::int64_t, std::string>> forgotten_runs = {};

  bool empty() const {
    return registrations.empty() && runs.empty() && ranks.empty() && steps.empty() &&
           epochs.empty() && events.empty() && forgotten_steps.empty() && forgotten_events == 0 &&
           forgotten_runs.empty();
  }
};

/// A run as it was saved.
struct SavedRun {
  RegistrationRow registration = {};
  RunRow run = {};
  std::vector<RankRow> ranks = {};       ///< in order, all of them
  std::vector<StepRow> open_steps = {};  ///< those beyond run.status.step(), in order
  std::vector<StepRow> last_steps = {};  ///< the last kSpeedWindow up to it, in order
  std::vector<EpochRow> epochs = {};     ///< from so_far's on, and those not finished
};

struct SavedBook {
  std::vector<SavedRun> runs = {};
  std::int64_t last_event = 0;
  std::int64_t first_event = 0;
};

/// Adds up the saved steps of a run's epoch, up to and with a step. What was told before must have
/// been saved.
using History =
    std::function<Totals(std::int64_t run_id, std::int64_t epoch, std::int64_t last_step)>;

}  // namespace convoy::dist
