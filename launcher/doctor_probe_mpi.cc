// MPI: what is installed, and small jobs that are really run.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <cstdlib>
#include <sstream>

#include "dist/job.h"
#include "launcher/child.h"
#include "launcher/commands.h"
#include "launcher/doctor_probe.h"
#include "launcher/mpirun_command.h"
#include "launcher/notice.h"

namespace convoy::launcher {
namespace {

constexpr std::size_t kMessageBytes = std::size_t{1} << 20;
using Variables = std::vector<std::pair<std::string, std::string>>;

constexpr const char* kCommand = "doctor-rank";
constexpr const char* kMark = "convoy-doctor-rank";

// `argv`: mpirun, its options, and what a rank runs.
JobFacts run_job(const std::vector<std::string>& argv, int ranks, Variables environment) {
  environment.emplace_back("OMPI_ALLOW_RUN_AS_ROOT", "1");
  environment.emplace_back("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1");
  const ChildResult result = run_child({.argv = argv, .environment = std::move(environment)});
  std::vector<std::string> shown = argv;
  shown.front() = "mpirun";
  *(shown.end() - 2) = "convoy";
  return {.command = fmt::format("{}", fmt::join(shown, " ")),
          .ranks = ranks,
          .exit_code = result.exit_code,
          .timed_out = result.timed_out,
          .errors = result.errors,
          .seen = parse_ranks(result.output)};
}

}  // namespace

std::vector<RankFacts> parse_ranks(const std::string& output) {
  std::vector<RankFacts> ranks;
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string mark;
    RankFacts rank;
    if (words >> mark >> rank.rank >> rank.host && mark == kMark) {
      for (int cpu = 0; words >> cpu;) {
        rank.cpus.push_back(cpu);
      }
      ranks.push_back(std::move(rank));
    }
  }
  std::ranges::sort(ranks, {}, &RankFacts::rank);
  return ranks;
}

MpiFacts probe_mpi(const ProcessorFacts& processor) {
  MpiFacts facts = {
      .built_in = dist::built_with_mpi(), .library = dist::mpi_library(), .mpirun = find_mpirun()};
  if (!facts.built_in || facts.mpirun.empty()) {
    return facts;
  }
  facts.mpirun_version = run_child({.argv = {facts.mpirun, "--version"}}).output;
  for (const int ranks : {1, 2}) {
    std::vector<std::string> mpirun = {facts.mpirun, "-n", fmt::format("{}", ranks)};
    if (static_cast<int>(processor.allowed.size()) < ranks) {
      mpirun.emplace_back("--oversubscribe");
    }
    mpirun.insert(mpirun.end(), {own_program(), kCommand});
    facts.plain.push_back(run_job(mpirun, ranks, {}));
  }
  const std::vector<std::string> launch =
      mpirun_command({.mpirun = facts.mpirun,
                      .ranks = 2,
                      .root = geteuid() == 0,
                      .oversubscribed = usable_cores(processor) < 2,
                      .program = own_program(),
                      .arguments = {kCommand}},
                     [](const char* name) { return std::getenv(name); });
  facts.launched = run_job(launch, 2, {{kLauncherVariable, "1"}});
  return facts;
}

int run_doctor_rank(dist::Communicator& communicator) {
  communicator.set_timeout(std::chrono::seconds(10));
  communicator.set_activity("sending convoy doctor's message");
  const int rank = communicator.rank();
  const int size = communicator.size();
  if (size > 1) {
    // Large enough to be copied from the other's memory.
    const std::vector<std::byte> mine(kMessageBytes, std::byte{0x5A});
    std::vector<std::byte> theirs(kMessageBytes);
    dist::Transfer sent = communicator.send(mine, (rank + 1) % size, 1);
    dist::Transfer received = communicator.receive(theirs, (rank + size - 1) % size, 1);
    communicator.wait(sent);
    communicator.wait(received);
    check(theirs == mine, "the message from {} arrived damaged",
          communicator.name((rank + size - 1) % size));
  }
  const std::string line = fmt::format("{} {} {} {}\n", kMark, rank, communicator.host(rank),
                                       fmt::join(allowed_cpus(), " "));
  // In one piece: mpirun passes on what several ranks write at once.
  check(write(STDOUT_FILENO, line.data(), line.size()) == static_cast<ssize_t>(line.size()),
        "standard output is closed");
  return 0;
}

}  // namespace convoy::launcher
