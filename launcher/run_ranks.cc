// `convoy train -n N`: starts N ranks of this program by mpirun and waits for them.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>

#include "core/io/checkpoint.h"
#include "dist/job.h"
#include "dist/job_environment.h"
#include "launcher/child.h"
#include "launcher/commands.h"
#include "launcher/core_binding.h"
#include "launcher/exit_codes.h"
#include "launcher/job_verdict.h"
#include "launcher/mpirun_command.h"
#include "launcher/mpirun_process.h"
#include "launcher/notice.h"
#include "launcher/terminal.h"

namespace convoy::launcher {
namespace {

namespace fs = std::filesystem;
using Variables = std::vector<std::pair<std::string, std::string>>;

const char* variable(const char* name) {
  return std::getenv(name);
}

void say(const TrainOptions& options, const std::string& text) {
  if (!options.quiet) {
    std::cerr << "convoy: " << text << std::endl;
  }
}

// Why ranks cannot be started; "" if they can.
std::string obstacle(const fs::path& mpirun) {
  if (!dist::built_with_mpi()) {
    return "this convoy was built without MPI";
  }
  if (mpirun.empty()) {
    const char* chosen = variable("CONVOY_MPIRUN");
    return chosen == nullptr ? "there is no mpirun in PATH (Debian: apt-get install openmpi-bin)"
                             : fmt::format("CONVOY_MPIRUN={} is no program", chosen);
  }
  return "";
}

std::string read_hostfile(const fs::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file || fs::is_directory(path)) {
    throw UsageError(fmt::format("--hostfile {}: cannot be read", path.string()));
  }
  return text.str();
}

bool in_allocation() {
  return variable("SLURM_JOB_ID") != nullptr || variable("PBS_NODEFILE") != nullptr ||
         variable("LSB_HOSTS") != nullptr;
}

// How many ranks have cores of their own, if that is known here.
std::optional<int> slots(const DistributedOptions& options) {
  if (!options.hostfile.empty()) {
    return hostfile_slots(read_hostfile(options.hostfile));
  }
  if (in_allocation()) {
    const char* tasks = variable("SLURM_NTASKS");
    return tasks == nullptr ? std::nullopt : std::optional(std::atoi(tasks));
  }
  const int cores = count_cores(usable_cpus());
  return cores > 0 ? std::optional(cores) : std::nullopt;
}

MpirunOptions mpirun_options(const TrainOptions& options, const fs::path& mpirun,
                             const std::vector<std::string>& words) {
  const DistributedOptions& distributed = options.distributed;
  const std::optional<int> room = slots(distributed);
  MpirunOptions result = {.mpirun = mpirun,
                          .ranks = *distributed.ranks,
                          .hostfile = distributed.hostfile,
                          .root = geteuid() == 0,
                          .oversubscribed = room && *distributed.ranks > *room,
                          .many_hosts = !distributed.hostfile.empty() || in_allocation(),
                          .program = own_program(),
                          .arguments = words_for_ranks(words)};
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string name = std::string(*entry).substr(0, std::string_view(*entry).find('='));
    if (name.starts_with("CONVOY_") || name == "OMP_NUM_THREADS") {
      result.exported.push_back(name);
    }
  }
  if (result.root && variable("OMPI_ALLOW_RUN_AS_ROOT") == nullptr) {
    say(options, "as root, so mpirun is told --allow-run-as-root");
  }
  if (result.oversubscribed) {
    say(options, fmt::format("{} ranks where there is room for {}: they share cores, which makes "
                             "them slower (--oversubscribe)",
                             result.ranks, *room));
  }
  return result;
}

// For ranks: that a convoy started them, and what its terminal shows.
Variables variables_for_ranks() {
  Variables variables = {{kLauncherVariable, "1"}};
  if (const Terminal terminal = terminal_of(STDERR_FILENO); terminal.interactive) {
    variables.emplace_back(kTerminalVariable,
                           terminal_text(terminal, terminal_columns(STDERR_FILENO)));
  }
  return variables;
}

// A killed mpirun leaves its directory behind.
void remove_session_directory(int mpirun_pid) {
  const std::string owner = fmt::format(".{}", geteuid());
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(fs::temp_directory_path(ignored), ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("ompi.") && name.ends_with(owner)) {
      fs::remove_all(entry.path() / fmt::format("pid.{}", mpirun_pid), ignored);
    }
  }
}

JobEnd job_end(const MpirunEnd& end, const DistributedOptions& options) {
  JobEnd result = {
      .exit_code = end.exit_code, .report = end.report, .interrupted = end.interrupted};
  const auto run_dir = end.report.notices.find(kRunDir);
  if (run_dir != end.report.notices.end()) {
    result.checkpoint =
        io::latest_good_checkpoint(fs::path(run_dir->second) / "checkpoints").newest_good;
    std::vector<std::string> command = {"convoy", "train", "-n", std::to_string(*options.ranks)};
    if (!options.hostfile.empty()) {
      command.insert(command.end(), {"--hostfile", options.hostfile.string()});
    }
    command.insert(command.end(), {"--resume", fs::proximate(run_dir->second).string()});
    result.resume_command = shell_line(command);
  }
  return result;
}

}  // namespace

std::optional<int> run_ranks(const TrainOptions& options, const std::vector<std::string>& words) {
  const DistributedOptions& distributed = options.distributed;
  if (const dist::JobEnvironment job = dist::job_environment(); job.launched) {
    if (distributed.ranks && job.ranks && *distributed.ranks != *job.ranks) {
      throw UsageError(fmt::format("-n {}: this is already one of {} ranks; leave -n to mpirun",
                                   *distributed.ranks, *job.ranks));
    }
    return {};
  }
  if (!distributed.ranks && !distributed.hostfile.empty()) {
    throw UsageError("--hostfile: say how many ranks to start on them: -n N");
  }
  const fs::path mpirun = find_mpirun();
  const std::string why_not = distributed.ranks ? obstacle(mpirun) : "";
  if (!why_not.empty()) {
    std::cerr << fmt::format(
        "convoy: {}; -n {} trains in this one process, with the same global batch\n", why_not,
        *distributed.ranks);
  }
  if (!distributed.ranks || !why_not.empty()) {
    if (distributed.dry_run) {
      fmt::print("one process, no mpirun\n");
      return kExitDone;
    }
    return {};
  }
  MpirunOptions launch = mpirun_options(options, mpirun, words);
  if (distributed.dry_run) {
    fmt::print("{}\n", shell_line(mpirun_command(launch, variable)));
    return kExitDone;
  }
  const Variables variables = variables_for_ranks();
  for (const auto& [name, value] : variables) {
    launch.exported.push_back(name);
  }
  const MpirunEnd end =
      run_mpirun({.command = mpirun_command(launch, variable),
                  .environment = variables,
                  .show = [](const std::string& text) { std::cerr << text << std::flush; }});
  remove_session_directory(end.pid);
  const Verdict verdict = judge(job_end(end, distributed));
  std::cerr << verdict.text << std::flush;
  return verdict.exit_code;
}

}  // namespace convoy::launcher
