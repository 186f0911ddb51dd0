// What a run leaves behind besides weights: its options at the beginning, pictures and a last table
// at the end.
#pragma once

#include <vector>

#include "core/data/dataset.h"
#include "dist/evaluator.h"
#include "launcher/metrics.h"
#include "launcher/options.h"
#include "launcher/run_dir.h"
#include "launcher/trained_model.h"

namespace convoy::launcher {

/// Writes config.json and model.textproto. `options` are resolved. Throws Error.
void start_report(const RunDir& run_dir, const TrainOptions& options, const ModelSpec& spec);

struct FinishedRun {
  const RunDir& run_dir;
  const TrainOptions& options;
  const TrainedModel& model;
  const data::Dataset& test;
  const std::vector<EpochMetrics>& epochs;
  const dist::Evaluation& evaluation;  ///< the last one
};

/// Draws curves, confusion matrix, the first test images and the surest mistakes, as the options
/// ask, and shows the confusion matrix on stderr unless they ask for quiet. Throws Error.
void finish_report(const FinishedRun& run);

}  // namespace convoy::launcher
