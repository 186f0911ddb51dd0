// What listens to training: shows progress, writes metrics.jsonl, and saves checkpoints.
#pragma once

#include <filesystem>
#include <vector>

#include "dist/trainer.h"
#include "launcher/options.h"
#include "launcher/progress.h"
#include "launcher/run_dir.h"
#include "launcher/stop_signal.h"
#include "launcher/trained_model.h"

namespace convoy::launcher {

/// For rank 0. While it lives, signals are a StopSignal's.
class Recorder : public dist::Observer {
 public:
  /// All of these must outlive it. `options` are resolved.
  Recorder(const TrainOptions& options, const RunDir& run_dir, const TrainedModel& model);

  void on_epoch_begin(std::int64_t epoch, std::int64_t images) override;
  void on_step(const dist::Position&, const dist::Metrics& so_far) override;
  void on_test_begin(std::int64_t images) override;
  void on_test_batch(const dist::Metrics& so_far) override;
  void on_epoch_end(const dist::EpochResult& result) override;
  void on_checkpoint(const dist::Snapshot& snapshot) override;
  bool stop_requested() override;

  const std::filesystem::path& last_checkpoint() const { return last_; }
  Progress& progress() { return progress_; }
  const std::vector<EpochMetrics>& epochs() const { return epochs_; }
  const dist::Evaluation& evaluation() const { return evaluation_; }

 private:
  void show(const dist::Metrics& metrics);

  const TrainOptions& options_;
  const RunDir& run_dir_;
  const TrainedModel& model_;
  Progress progress_;
  StopSignal stop_;
  std::vector<EpochMetrics> epochs_;
  dist::Evaluation evaluation_;
  std::filesystem::path previous_;
  std::filesystem::path last_;
};

}  // namespace convoy::launcher
