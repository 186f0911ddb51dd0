// What the training loop tells of itself: for whoever shows it, keeps it or passes it on.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/data/sampler.h"
#include "core/optim/optimizer.h"
#include "dist/evaluator.h"
#include "dist/step_report.h"

namespace convoy::dist {

/// Where training stands; the next step to take. Complete: with weights and optimizer state it is
/// all that a run needs to go on.
struct Position {
  std::int64_t epoch = 0;  ///< counts from 0
  std::int64_t batch = 0;  ///< within the epoch, in optimizer steps
  std::int64_t step = 0;   ///< optimizer steps taken so far
};

/// All that a run needs to go on, besides weights and buffers (which are in the ParameterStore):
/// the same for every number of ranks.
struct Snapshot {
  Position position = {};
  Metrics train = {};        ///< of the epoch so far, all ranks together
  data::IdDigest seen = {};  ///< of the images that the epoch has used so far
  std::int64_t optimizer_step = 0;
  /// For the whole of ParameterStore::values().
  std::vector<optim::Optimizer::State> optimizer = {};
  bool last = false;  ///< nothing is trained after it in this process
};

struct EpochResult {
  std::int64_t epoch = 0;  ///< counts from 1
  Metrics train;
  Evaluation test;
  double images_per_second = 0.0;  ///< of this epoch's training steps
  std::chrono::duration<double> duration{0};
};

/// One optimizer step that was taken.
struct StepResult {
  const Position& position;  ///< after it
  const Metrics& so_far;     ///< of the epoch, all ranks together
  /// What each rank told, by rank: the counts are its own of this step, zero if the step was left
  /// out. They add up to what `so_far` grew by, exactly. Valid during the call.
  std::span<const StepReport> ranks = {};
  double learning_rate = 0.0;
  std::chrono::nanoseconds duration{0};  ///< on this rank, waiting included
};

/// Told what happens, on the thread that trains, between steps.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void on_epoch_begin(std::int64_t /*epoch*/, std::int64_t /*images*/) {}
  virtual void on_step(const StepResult& /*step*/) {}
  virtual void on_test_begin(std::int64_t /*images*/) {}
  virtual void on_test_batch(const Metrics& /*so_far*/) {}
  virtual void on_epoch_end(const EpochResult& /*result*/) {}
  /// A checkpoint is due: after an epoch, after every so many steps, and before stopping. Weights
  /// are in the ParameterStore. What is to be kept must be copied before this returns, unless the
  /// snapshot is the last: then weights and optimizer stay as they are.
  virtual void on_checkpoint(const Snapshot& /*snapshot*/) {}
  /// Something out of the ordinary that people should see, the same on every rank.
  virtual void on_note(const std::string& /*text*/) {}
  /// Asked before every step; true on any rank ends training after that step, on all ranks.
  virtual bool stop_requested() { return false; }
};

}  // namespace convoy::dist
