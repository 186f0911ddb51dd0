// Rank 0's tie to a coordinator: tells it what training does, and training that somebody asked the
// coordinator to stop it. Implemented in coordination.cc, and in no_coordination.cc for a program
// without coordinators.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "dist/observer.h"
#include "launcher/run_dir.h"
#include "launcher/training_job.h"

namespace convoy::launcher {

/// Never holds training up, whatever becomes of the coordinator.
class Coordination : public dist::Observer {
 public:
  enum class End { kSucceeded, kStopped, kFailed };

  /// Tells how the run ended, within two seconds; what could not be told is told when the run is
  /// resumed. Nothing may be told after this.
  virtual void end(End end, const std::string& reason) = 0;
};

struct CoordinationParts {
  /// These must outlive it.
  const TrainingJob& job;
  const RunDir& run_dir;
  std::span<const std::int64_t> pids;            ///< of all ranks
  std::span<const EpochMetrics> epochs;          ///< that are finished
  std::function<void(const std::string&)> show;  ///< for what people should know; once each
};

/// As the options say: with a coordinator in this process, somewhere else, or nullptr for none. A
/// coordinator that cannot be had is shown and stops nothing. Throws Error for files that cannot be
/// read, and for wishes that this program cannot fulfil.
std::unique_ptr<Coordination> start_coordination(const CoordinationParts& parts);

}  // namespace convoy::launcher
