// What listens to training: shows progress, writes metrics.jsonl, and saves checkpoints.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "dist/trainer.h"
#include "launcher/checkpoint_writer.h"
#include "launcher/options.h"
#include "launcher/progress.h"
#include "launcher/run_dir.h"
#include "launcher/trained_model.h"

namespace convoy::launcher {

/// For rank 0. A StopSignal ends training. Checkpoints are written in the
/// background; what goes wrong then is thrown in the next step.
class Recorder : public dist::Observer {
 public:
  struct Parts {
    /// These must outlive it. `options` are resolved.
    const TrainOptions& options;
    const RunDir& run_dir;
    const TrainedModel& model;
    std::string data_digest = {};
    /// Of a run that is gone on with: its finished epochs, and its good checkpoints.
    std::vector<EpochMetrics> epochs = {};
    std::vector<KeptCheckpoint> checkpoints = {};
  };
  explicit Recorder(Parts parts);

  void on_epoch_begin(std::int64_t epoch, std::int64_t images) override;
  void on_step(const dist::StepResult& step) override;
  void on_test_begin(std::int64_t images) override;
  void on_test_batch(const dist::Metrics& so_far) override;
  void on_epoch_end(const dist::EpochResult& result) override;
  void on_checkpoint(const dist::Snapshot& snapshot) override;
  void on_note(const std::string& text) override;
  bool stop_requested() override;

  /// Waits for the last checkpoint and returns it; empty if there is none. Throws what writing it
  /// met.
  const std::filesystem::path& last_checkpoint();
  Progress& progress() { return progress_; }
  const std::vector<EpochMetrics>& epochs() const { return epochs_; }
  const dist::Evaluation& evaluation() const { return evaluation_; }

 private:
  void show(const dist::Metrics& metrics);

  const RunDir& run_dir_;
  const TrainedModel& model_;
  std::string config_;
  std::string data_digest_;
  Progress progress_;
  std::vector<EpochMetrics> epochs_;
  dist::Evaluation evaluation_;
  CheckpointWriter writer_;
  std::chrono::steady_clock::time_point notified_;
};

}  // namespace convoy::launcher
