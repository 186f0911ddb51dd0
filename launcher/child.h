// Runs another program, or convoy itself, and waits for it: never longer than a deadline, never
// through a shell. For the commands that look from outside (doctor, bench); `convoy train -n` is
// launched elsewhere.
#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace convoy::launcher {

struct Child {
  std::vector<std::string> argv = {};  ///< the program, looked up in PATH, and its arguments
  /// Set in its environment, on top of this process's.
  std::vector<std::pair<std::string, std::string>> environment = {};
  std::chrono::milliseconds deadline = std::chrono::seconds(20);
};

struct ChildResult {
  int exit_code = 0;  ///< 128 + the signal that ended it; 127 if it could not be started
  bool timed_out = false;
  std::string output = {};  ///< the first MiB of stdout
  std::string errors = {};  ///< the first MiB of stderr
};

/// Past the deadline the program and what it started get SIGTERM, and SIGKILL two seconds later. It
/// gets SIGTERM too if this process dies. Throws Error if the system gives no process or pipe.
ChildResult run_child(const Child& child);

/// The file that this process runs: what to start to get another convoy.
std::string own_program();

/// Where PATH has `name`, or `name` itself if it is a path; "" if there is no such program.
std::string find_program(const std::string& name);

/// The mpirun that convoy starts: CONVOY_MPIRUN, else PATH's; "" if there is none.
std::string find_mpirun();

}  // namespace convoy::launcher
