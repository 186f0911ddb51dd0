// The judgement of MPI: versions, the small jobs that were run, and where their ranks were bound.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <set>
#include <sstream>

#include "launcher/doctor.h"

namespace convoy::launcher {
namespace {

struct Symptom {
  const char* words;
  const char* meaning;
  const char* fix;
};

// What Open MPI says, what it means, what helps.
constexpr std::array kSymptoms = {
    Symptom{"Read -1, expected", "ranks may not copy from each other's memory",
            "export OMPI_MCA_btl_vader_single_copy_mechanism=none"},
    Symptom{"not enough slots", "more ranks than cores", "mpirun --oversubscribe"},
    Symptom{"run as root", "mpirun refuses to run as root",
            "export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1"},
    Symptom{"MPI_THREAD_MULTIPLE", "MPI does not give the thread level that convoy needs",
            "apt-get install libopenmpi-dev openmpi-bin, which do, and build convoy again"},
    Symptom{"error while loading shared libraries", "the ranks do not find the MPI library",
            "apt-get install openmpi-bin, or set LD_LIBRARY_PATH to the library's folder"},
    Symptom{"session directory", "Open MPI cannot write its session directory",
            "export TMPDIR=/tmp, or another short path that can be written"},
    Symptom{"No space left on device", "no space for shared memory or session files",
            "df /dev/shm /tmp"},
};

const Symptom* symptom_in(const std::string& errors) {
  const auto* found = std::ranges::find_if(kSymptoms, [&](const Symptom& symptom) {
    return errors.find(symptom.words) != std::string::npos;
  });
  return found == kSymptoms.end() ? nullptr : found;
}

// The first line that says anything; Open MPI draws lines of dashes.
std::string first_words(const std::string& errors) {
  std::istringstream lines(errors);
  for (std::string line; std::getline(lines, line);) {
    if (std::ranges::any_of(line, [](unsigned char c) { return std::isalnum(c) != 0; })) {
      return line.substr(0, 200);
    }
  }
  return "it said nothing";
}

Finding judge_run(const JobFacts& job) {
  Finding finding = {.level = Level::kProblem, .topic = "MPI job"};
  const Symptom* symptom = symptom_in(job.errors);
  if (job.timed_out) {
    finding.what = fmt::format("{} did not end; stopped", job.command);
    finding.fix =
        fmt::format("see the network findings; then: {} --mca btl_base_verbose 30", job.command);
  } else if (symptom != nullptr) {
    finding.what = fmt::format("{}: {}", job.command, symptom->meaning);
    finding.fix = symptom->fix;
  } else if (job.exit_code != 0 || static_cast<int>(job.seen.size()) != job.ranks) {
    finding.what = fmt::format("{}: exit code {}, {} of {} ranks came through: {}", job.command,
                               job.exit_code, job.seen.size(), job.ranks, first_words(job.errors));
    finding.fix = fmt::format("type it to see all that it says: {}", job.command);
  } else {
    finding.level = Level::kOk;
    finding.what = fmt::format("{}: {} rank{} joined with MPI_THREAD_MULTIPLE and talked",
                               job.command, job.ranks, job.ranks == 1 ? "" : "s");
  }
  return finding;
}

std::string cores_text(const std::vector<int>& cpus) {
  return fmt::format("{} core{} ({})", cpus.size(), cpus.size() == 1 ? "" : "s",
                     fmt::join(cpus, " "));
}

// Whether ranks are crowded onto fewer cores than there are for them.
bool crowded(const JobFacts& job, int usable) {
  std::set<int> all;
  for (const RankFacts& rank : job.seen) {
    all.insert(rank.cpus.begin(), rank.cpus.end());
  }
  const int share = std::max(1, usable / job.ranks);
  return static_cast<int>(all.size()) < std::min(usable, job.ranks) ||
         std::ranges::any_of(job.seen, [&](const RankFacts& rank) {
           return static_cast<int>(rank.cpus.size()) < share;
         });
}

Finding judge_binding(const JobFacts& job, int usable, bool ours) {
  std::vector<std::string> places;
  for (const RankFacts& rank : job.seen) {
    places.push_back(fmt::format("rank {} on {}", rank.rank, cores_text(rank.cpus)));
  }
  Finding finding = {.topic = "binding",
                     .what = fmt::format("{}: {}", job.command, fmt::join(places, ", "))};
  if (crowded(job, usable)) {
    finding.level = ours ? Level::kProblem : Level::kNote;
    finding.what += fmt::format(", of {} usable", usable);
    finding.fix = ours ? "run it by yourself: mpirun --bind-to none ..."
                       : fmt::format(
                             "convoy train -n {}, which binds better, or mpirun --bind-to "
                             "none ...",
                             job.ranks);
  }
  return finding;
}

Finding judge_versions(const MpiFacts& mpi) {
  const std::string library = version_in(mpi.library);
  const std::string mpirun = version_in(mpi.mpirun_version);
  if (library != mpirun) {
    return {.level = Level::kProblem,
            .topic = "MPI",
            .what = fmt::format("convoy runs with MPI {}, but {} is {}", library, mpi.mpirun,
                                mpirun.empty() ? "of another kind" : mpirun),
            .fix = "put the mpirun of convoy's MPI first in PATH (command -v -a mpirun shows all)"};
  }
  return {.topic = "MPI", .what = fmt::format("Open MPI {}, {} is the same", library, mpi.mpirun)};
}

}  // namespace

std::string version_in(const std::string& text) {
  const auto digit = [](unsigned char c) { return std::isdigit(c) != 0; };
  auto begin = std::ranges::find_if(text, digit);
  while (begin != text.end()) {
    const auto end =
        std::find_if(begin, text.end(), [&](unsigned char c) { return !digit(c) && c != '.'; });
    if (std::find(begin, end, '.') != end) {
      return {begin, end};
    }
    begin = std::find_if(end, text.end(), digit);
  }
  return "";
}

std::vector<Finding> judge_mpi(const MpiFacts& mpi, const ProcessorFacts& processor, bool root) {
  if (!mpi.built_in) {
    return {{.level = Level::kNote,
             .topic = "MPI",
             .what = "this convoy is built without: one process only",
             .fix = "apt-get install libopenmpi-dev openmpi-bin, and build with "
                    "-DCONVOY_WITH_MPI=ON"}};
  }
  if (mpi.mpirun.empty()) {
    return {{.level = Level::kProblem,
             .topic = "MPI",
             .what = fmt::format("{}, but no mpirun in PATH: convoy train -n cannot start ranks",
                                 mpi.library),
             .fix = "apt-get install openmpi-bin"}};
  }
  std::vector<Finding> findings = {judge_versions(mpi)};
  if (root) {
    findings.push_back({.level = Level::kNote,
                        .topic = "root",
                        .what = "mpirun refuses to run as root unless told; convoy train -n does",
                        .fix = "for mpirun itself: export OMPI_ALLOW_RUN_AS_ROOT=1 "
                               "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1"});
  }
  const auto add = [&](const JobFacts& job, bool ours) {
    findings.push_back(judge_run(job));
    if (findings.back().level == Level::kOk) {
      findings.push_back(judge_binding(job, usable_cores(processor), ours));
    }
  };
  for (const JobFacts& job : mpi.plain) {
    add(job, false);
  }
  if (mpi.launched) {
    add(*mpi.launched, true);
  }
  return findings;
}

}  // namespace convoy::launcher
