// The subcommands. Each returns the program's exit code, or throws Error for what stops it. Those
// that work together on several ranks take the job's communicator; then rank 0 alone shows and
// writes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dist/communicator.h"
#include "launcher/options.h"

namespace convoy::launcher {

/// Has the ranks that `options` ask for trained, and returns their exit code. Nothing, if training
/// is up to this process: no ranks are asked for, it is one of them, or they cannot be started,
/// which it says. `words` are the command line's, from "train" on.
std::optional<int> run_ranks(const TrainOptions& options, const std::vector<std::string>& words);
/// A StopSignal must live meanwhile.
int run_train(const TrainOptions& options, dist::Communicator& communicator);
int run_evaluate(const EvaluateOptions& options, dist::Communicator& communicator);
int run_predict(const PredictOptions& options);
int run_export(const ExportOptions& options);
int run_doctor(const DoctorOptions& options);
/// The hidden command that doctor starts as a rank: sends the next rank a MiB and says where it
/// runs in a line that doctor reads.
int run_doctor_rank(dist::Communicator& communicator);
int run_bench_scaling(const BenchScalingOptions& options);
int run_bench_coordinator(const BenchCoordinatorOptions& options);
// A program that is built without the coordinator has these too; they say so.
int run_status(const StatusOptions& options);
int run_stop(const StopOptions& options);
int run_coordinator(const CoordinatorOptions& options);
int run_log_level(const LogLevelOptions& options);

}  // namespace convoy::launcher
