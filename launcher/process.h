// Another program, started and waited for. What is done with its output and when it has to end is
// its owner's business: child.h captures, mpirun_process.h supervises.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace convoy::launcher {

struct ProcessOptions {
  std::vector<std::string> argv = {};  ///< the program, looked up in PATH, and its arguments
  /// Set in its environment, on top of this process's.
  std::vector<std::pair<std::string, std::string>> environment = {};
  int output = -1;                       ///< becomes its stdout; -1: this process's
  int errors = -1;                       ///< becomes its stderr, likewise
  const sigset_t* blocked_signals = {};  ///< instead of those of this thread
  bool outlives_readers = false;         ///< SIGPIPE is ignored: no reader of its output, no end
};

/// Never through a shell. It has a process group of its own, out of reach of the terminal's Ctrl-C,
/// and no stdin. It gets SIGTERM if this process dies, and is left running if only the Process
/// does.
class Process {
 public:
  /// Returns when the program runs, or it is known that it does not. Throws Error if the system
  /// gives no process or pipe.
  explicit Process(const ProcessOptions& options);

  /// "", or why the program could not be run: "No such file or directory". It has exit code 127
  /// then.
  const std::string& failure() const { return failure_; }
  int pid() const { return pid_; }

  /// 128 + the signal that ended it; none while it runs.
  std::optional<int> exit_code();
  void signal(int number) const;
  /// With what it has started, also when it has ended itself.
  void signal_group(int number) const;

 private:
  pid_t pid_ = -1;
  std::string failure_;
  std::optional<int> exit_code_;
};

}  // namespace convoy::launcher
