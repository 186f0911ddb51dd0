// The command line that starts the ranks of a job, as a value: nothing is run here.
//
// What it says beyond the program and the number of ranks, and why:
//   --allow-run-as-root    Open MPI wants to be told that this is meant.
//   --oversubscribe        it refuses more ranks than cores otherwise; and
//   mpi_yield_when_idle    then a rank that waits must leave its core to others.
//   --bind-to none         by default it pins one or two ranks to one core each, of every machine
//                          the first; ranks take their cores themselves (launcher/core_binding.h).
//   oob_tcp_keepalive_*    a machine that went away is noticed in 7 seconds, not 8 minutes.
// An MCA parameter that the environment sets (OMPI_MCA_name=value) is left to it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "launcher/terminal.h"

namespace convoy::launcher {

struct MpirunOptions {
  std::filesystem::path mpirun = "mpirun";
  int ranks = 1;
  std::filesystem::path hostfile = {};  ///< empty: this machine, or what a batch system allocated
  bool root = false;
  bool oversubscribed = false;
  bool many_hosts = false;
  /// Names of variables for ranks on other machines; those on this one have the whole environment.
  std::vector<std::string> exported = {};
  std::filesystem::path program = {};  ///< absolute
  std::vector<std::string> arguments = {};
};

/// "mpirun" and its arguments, for execv.
std::vector<std::string> mpirun_command(const MpirunOptions& options,
                                        const Environment& environment);

/// What `words` of a command line say to a rank: without -n, --hostfile and --dry-run.
std::vector<std::string> words_for_ranks(const std::vector<std::string>& words);

/// On one line, to be pasted into a shell.
std::string shell_line(const std::vector<std::string>& command);

/// How many ranks a hostfile has room for; nothing if a line does not say, for then Open MPI counts
/// that machine's cores.
std::optional<int> hostfile_slots(std::string_view text);

}  // namespace convoy::launcher
