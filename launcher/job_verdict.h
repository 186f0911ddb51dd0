// What is said last of a job, and the exit code that follows: a pure function of what was seen.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "launcher/mpirun_output.h"

namespace convoy::launcher {

/// How a job of ranks ended.
struct JobEnd {
  int exit_code = 0;  ///< of mpirun; 128 + signal if one ended it
  JobReport report = {};
  bool interrupted = false;  ///< this convoy was told twice, and ended it
  /// The newest good checkpoint of its run, if one is within reach.
  std::optional<std::filesystem::path> checkpoint = {};
  std::string resume_command = {};  ///< goes on with the run
};

struct Verdict {
  int exit_code = 0;
  std::string text = {};  ///< lines to show; "" if ranks have said all there is
};

/// The ranks' own exit code, or kExitError with the first cause: what a rank said of itself, or
/// what mpirun saw of one that could not, the last checkpoint, and the command to go on with.
Verdict judge(const JobEnd& end);

}  // namespace convoy::launcher
