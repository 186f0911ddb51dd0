// Runs mpirun and stands between it and the user: signals go through here, and its end is waited
// for.
//
// mpirun 4.1 itself would end the ranks a second after SIGINT or SIGTERM, with exit code 1. It only
// passes SIGUSR1 on to them; so the first signal that asks to stop goes to mpirun as that, once all
// ranks are ready for it, and a second SIGINT or SIGTERM as SIGTERM. mpirun has a process group of
// its own, out of reach of the terminal's Ctrl-C, no stdin, and gets SIGTERM if this process dies.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "launcher/mpirun_output.h"

namespace convoy::launcher {

struct MpirunProcess {
  std::vector<std::string> command = {};  ///< the program's path and its arguments
  /// Set in its environment, on top of this process's.
  std::vector<std::pair<std::string, std::string>> environment = {};
  /// What ranks write to stderr, as it comes.
  std::function<void(const std::string&)> show = {};
};

struct MpirunEnd {
  int exit_code = 0;  ///< 128 + signal if one ended it
  int pid = 0;
  JobReport report = {};
  bool interrupted = false;  ///< by a second SIGINT or SIGTERM
};

/// Returns when mpirun has ended; its stdout is this process's. Call before any thread is started.
/// Throws Error if the system gives no process or pipe, or cannot run the program.
MpirunEnd run_mpirun(const MpirunProcess& process);

}  // namespace convoy::launcher
