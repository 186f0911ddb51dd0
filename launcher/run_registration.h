// What a coordinator is told of a run when it begins, or goes on.
#pragma once

#include <cstdint>
#include <span>

#include "convoy/v1/coordinator.pb.h"
#include "launcher/run_dir.h"
#include "launcher/run_identity.h"
#include "launcher/training_job.h"

namespace convoy::launcher {

/// `pids`: of all ranks. `epochs`: those that are finished.
v1::RegisterRunRequest run_registration(const TrainingJob& job, const RunDir& run_dir,
                                        const RunIdentity& identity,
                                        std::span<const std::int64_t> pids,
                                        std::span<const EpochMetrics> epochs);

}  // namespace convoy::launcher
