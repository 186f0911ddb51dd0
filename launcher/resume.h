// `convoy train --resume`: which run goes on, from which checkpoint, and under which options.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/data/dataset.h"
#include "core/io/safetensors.h"
#include "dist/communicator.h"
#include "dist/trainer.h"
#include "launcher/model_file.h"
#include "launcher/options.h"
#include "launcher/retention.h"
#include "launcher/run_dir.h"

namespace convoy::launcher {

/// A run that goes on. Rank 0 has it all; the others have `options` and `spec`.
struct ResumedRun {
  TrainOptions options = {};  ///< the run's, resolved, with what the command line changes
  ModelSpec spec = {};        ///< the model that it began with, whatever became of its file
  std::filesystem::path directory = {};
  FileDescriptor lock = {};  ///< of the directory; keep it until the run ends
  std::filesystem::path checkpoint = {};
  std::string data = {};  ///< data_digest of what it was trained on; "" if that is not known
  std::vector<std::string> notes = {};  ///< lines to show: what was skipped, and where it goes on
  std::vector<EpochMetrics> epochs = {};
  std::vector<KeptCheckpoint> checkpoints = {};  ///< the good ones up to `checkpoint`
  dist::Snapshot snapshot = {};                  ///< without the optimizer's state, until `load`
  io::SafetensorsFile weights = {};              ///< until `load`
  io::SafetensorsFile optimizer = {};            ///< until `load`
};

/// Finds the run that `given.resume` means, and its newest good checkpoint (or takes the one that
/// is meant). Every rank calls it; rank 0 alone looks at files. Throws UsageError for options that
/// would change what the run computes (each with what the run says), and Error if another process
/// is writing the run, or, with the damage of each checkpoint, if there is none to go on from.
ResumedRun find_run(const TrainOptions& given, dist::Communicator& communicator);

/// Throws Error if the run was trained on other images or labels than these: neither its result nor
/// its metrics would be those of one run.
void check_resumed_data(const ResumedRun& run, const data::Dataset& train,
                        const data::Dataset& test);

/// Puts the weights into `store` and returns what Trainer::restore needs, on every rank. Throws
/// Error if the checkpoint is of another model or optimizer.
dist::Snapshot load(ResumedRun& run, ParameterStore& store, optim::Optimizer& optimizer,
                    dist::Communicator& communicator);

/// For rank 0, before training: takes out of the directory what came after the checkpoint. Lines of
/// metrics.jsonl are cut off; newer checkpoints are renamed "superseded-step-N". Throws Error.
void forget_later(const ResumedRun& run, const RunDir& run_dir);

}  // namespace convoy::launcher
