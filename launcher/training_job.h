// A training run put together, in the same way on every rank: what is to be learned, from which
// images, and the Trainer that does it. What rank 0 writes is launcher/run_record.h's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "core/data/dataset.h"
#include "core/optim/optimizer.h"
#include "core/optim/schedule.h"
#include "dist/communicator.h"
#include "dist/trainer.h"
#include "launcher/options.h"
#include "launcher/resume.h"
#include "launcher/trained_model.h"

namespace convoy::launcher {

/// What is to be learned, and from what. Must not be moved once a TrainingJob has been made of it.
struct TrainingTask {
  TrainOptions options = {};  ///< resolved; quiet on all ranks but 0
  std::optional<ResumedRun> resumed = {};
  data::Dataset train;
  data::Dataset test;
  TrainedModel model;
};

/// A collective: finds the run to resume, shares out the cores, opens data and model, and says on
/// stderr what they are. Throws Error.
TrainingTask open_task(const TrainOptions& given, dist::Communicator& communicator);

/// Optimizer and trainer of a task.
class TrainingJob {
 public:
  /// A collective: gives all ranks the same weights, those of the checkpoint if the task is
  /// resumed. Both must outlive it. Throws Error.
  TrainingJob(TrainingTask& task, dist::Communicator& communicator);

  const TrainingTask& task() const { return task_; }
  dist::Communicator& communicator() const { return communicator_; }
  dist::Trainer& trainer() { return *trainer_; }
  const dist::Trainer& trainer() const { return *trainer_; }
  /// Optimizer steps from the beginning of the run to its end.
  std::int64_t steps() const { return steps_; }
  std::int64_t steps_per_epoch() const { return steps_per_epoch_; }
  /// Whether there is no epoch left to train.
  bool complete() const;
  /// "Adam, ...; constant ...; AVX-512 ...; 4 ranks of 2 threads"
  std::string describe() const;

 private:
  TrainingTask& task_;
  dist::Communicator& communicator_;
  std::int64_t steps_per_epoch_ = 0;
  std::int64_t steps_ = 0;
  optim::Schedule schedule_;
  std::unique_ptr<optim::Optimizer> optimizer_;
  std::unique_ptr<dist::Trainer> trainer_;
};

}  // namespace convoy::launcher
