// The subcommands. Each returns the program's exit code, or throws Error for what stops it. Those
// that work together on several ranks take the job's communicator; then rank 0 alone shows and
// writes.
#pragma once

#include "dist/communicator.h"
#include "launcher/options.h"

namespace convoy::launcher {

int run_train(const TrainOptions& options, dist::Communicator& communicator);
int run_evaluate(const EvaluateOptions& options, dist::Communicator& communicator);
int run_predict(const PredictOptions& options);
int run_export(const ExportOptions& options);

}  // namespace convoy::launcher
