// The subcommands. Each returns the program's exit code, or throws Error for what stops it.
#pragma once

#include "launcher/options.h"

namespace convoy::launcher {

int run_train(const TrainOptions& options);
int run_evaluate(const EvaluateOptions& options);
int run_predict(const PredictOptions& options);
int run_export(const ExportOptions& options);

}  // namespace convoy::launcher
