// What a finished training run says of itself: --json's object, and a line on communication.
#pragma once

#include <string>
#include <vector>

#include "dist/trainer.h"
#include "launcher/metrics.h"
#include "launcher/run_dir.h"

namespace convoy::launcher {

/// The longest time that a rank computed in a step, against the average of all ranks: 1.0 if they
/// are equally fast. A collective.
double compute_imbalance(dist::Communicator& communicator, const dist::Trainer& trainer);

struct TrainResult {
  const RunDir& run_dir;
  int world_size = 1;
  double imbalance = 1.0;  ///< compute_imbalance
  const dist::Trainer& trainer;
  const std::vector<EpochMetrics>& epochs;
};

/// One object, without a line end.
std::string train_result_json(const TrainResult& result);

/// "gradients: 5.6 MB sent a step, 1.23 ms on their way, of which backward hid 38 % (overlap:
/// thread)" and a line end, on one host "read in shared memory" for "sent"; "" for one rank.
std::string communication_summary(const TrainResult& result);

}  // namespace convoy::launcher
