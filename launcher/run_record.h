// What rank 0 does about a run besides training: the run directory, what is written there on the
// way and at the end, and what is said about how it ended.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "dist/evaluator.h"
#include "dist/trainer.h"
#include "launcher/coordination.h"
#include "launcher/observers.h"
#include "launcher/recorder.h"
#include "launcher/run_dir.h"
#include "launcher/tensorboard/tensorboard.h"
#include "launcher/training_job.h"

namespace convoy::launcher {

class RunRecord {
 public:
  /// Makes the run directory, or takes that of the resumed run back to its checkpoint, and finds or
  /// starts a coordinator. `job` must outlive it; `pids` are those of all ranks. Throws Error.
  RunRecord(const TrainingJob& job, std::span<const std::int64_t> pids);
  RunRecord(const RunRecord&) = delete;
  RunRecord& operator=(const RunRecord&) = delete;

  dist::Observer& observer() { return observers_; }

  /// Says what is about to be trained and where.
  void announce() const;
  /// Lets the convoy that started the ranks know that they have begun.
  void notify_begun() const;
  /// Say how it ended and write what belongs to that. Both return the exit code, and throw Error
  /// for what could not be written, checkpoints included. `evaluation`: of a run that had no epoch
  /// left, which has not been tested here.
  int stopped();
  int done(const std::optional<dist::Evaluation>& evaluation, double imbalance);
  /// Lets the coordinator know of an error that ends the run.
  void failed(const std::string& why);

 private:
  void tell_end(Coordination::End end, const std::string& reason);

  const TrainingJob& job_;
  RunDir run_dir_;
  Recorder recorder_;
  std::optional<TensorBoard> tensorboard_;
  std::unique_ptr<Coordination> coordination_;
  Observers observers_;
};

}  // namespace convoy::launcher
