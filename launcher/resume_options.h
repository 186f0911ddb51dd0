// Whether a run may go on under other options than it began with.
#pragma once

#include <string>
#include <string_view>

#include "dist/trainer.h"
#include "launcher/model_file.h"
#include "launcher/options.h"

namespace convoy::launcher {

/// Throws UsageError, with what the run says and what is said now, for every option that would
/// make the result another than that of a run that was never stopped. `began` are the options under
/// which the checkpoint called `source` was written, `now` those of the run as the command line
/// changes them, `spec` is the run's model, `position` where it stands. What may differ: where data
/// lie, threads, which checkpoints are made and kept, and the length of the run, unless the
/// learning rate follows it or the run is past it already.
void check_resumed_options(const TrainOptions& began, const TrainOptions& now,
                           const ModelSpec& spec, const dist::Position& position,
                           std::string_view source);

}  // namespace convoy::launcher
