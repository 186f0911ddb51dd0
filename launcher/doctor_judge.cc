// The judgement of everything but MPI and network, which have files of their own.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "launcher/doctor.h"

namespace convoy::launcher {
namespace {

constexpr double kMiB = 1024.0 * 1024;
constexpr double kGiB = 1024 * kMiB;
// Measured: the tutorial's network takes 155 MiB; Open MPI's shared memory 4 MiB.
constexpr double kRankBytes = 200 * kMiB;
constexpr double kSegmentBytes = 8 * kMiB;

std::string size_text(double bytes) {
  return bytes < kGiB ? fmt::format("{:.0f} MiB", bytes / kMiB)
                      : fmt::format("{:.1f} GiB", bytes / kGiB);
}

Finding ok(std::string topic, std::string what) {
  return {.level = Level::kOk, .topic = std::move(topic), .what = std::move(what)};
}

void judge_processor(const ProcessorFacts& processor, std::vector<Finding>& findings) {
  findings.push_back(
      ok("CPU", fmt::format("{} ({})", processor.model, fmt::join(processor.instructions, " "))));
  if (!processor.forced_isa.empty()) {
    findings.push_back({.level = Level::kNote,
                        .topic = "kernels",
                        .what = fmt::format("CONVOY_ISA holds them to {}", processor.isa),
                        .fix = "unset CONVOY_ISA"});
  }
}

void judge_cores(const Facts& facts, std::vector<Finding>& findings) {
  const ProcessorFacts& processor = facts.processor;
  const auto allowed = static_cast<int>(processor.allowed.size());
  const int usable = usable_cores(processor);
  if (allowed < processor.online) {
    findings.push_back({.level = Level::kNote,
                        .topic = "binding",
                        .what = fmt::format("this process is held to {} of {} cores: {}", allowed,
                                            processor.online, fmt::join(processor.allowed, " ")),
                        .fix = "if that is not meant, start it without taskset, or ask the batch "
                               "system for more cores"});
  } else {
    findings.push_back(ok("binding", fmt::format("this process may use all {} cores", allowed)));
  }
  if (processor.quota && *processor.quota < allowed) {
    findings.push_back(
        {.level = Level::kNote,
         .topic = "quota",
         .what = fmt::format("its control group (container) may use {:.1f} of the {} cores it sees",
                             *processor.quota, allowed),
         .fix =
             fmt::format("export OMP_NUM_THREADS={}, or raise the container's CPU limit", usable)});
  }
  if (processor.load > usable) {
    findings.push_back(
        {.level = Level::kNote,
         .topic = "load",
         .what = fmt::format("{:.1f} programs wanted a core in the last minute, there {} {}",
                             processor.load, usable == 1 ? "is" : "are", usable),
         .fix = "top shows who; until they are done training is slower, and bench means little"});
  }
  const int wanted = facts.ranks * facts.threads;
  const std::string plan =
      fmt::format("{} rank{} x {} thread{} on {} core{}", facts.ranks, facts.ranks == 1 ? "" : "s",
                  facts.threads, facts.threads == 1 ? "" : "s", usable, usable == 1 ? "" : "s");
  if (wanted > usable) {
    findings.push_back(
        {.level = Level::kProblem,
         .topic = "cores",
         .what = plan + ": more than there are, they will take turns",
         .fix = facts.ranks <= usable
                    ? fmt::format("convoy train -n {} --threads {}", facts.ranks,
                                  std::max(1, usable / facts.ranks))
                    : fmt::format("convoy train -n {} --threads 1, or more hosts: --hostfile FILE",
                                  usable)});
  } else {
    findings.push_back(ok("cores", plan));
  }
}

void judge_shared_memory(const SharedMemoryFacts& memory, int ranks,
                         std::vector<Finding>& findings) {
  const double needed = kSegmentBytes * ranks;
  const std::string sizes =
      fmt::format("{} free of {}", size_text(static_cast<double>(memory.free_bytes)),
                  size_text(static_cast<double>(memory.total_bytes)));
  if (!memory.writable) {
    findings.push_back({.level = Level::kProblem,
                        .topic = "/dev/shm",
                        .what = "cannot be written; ranks of one host meet there",
                        .fix = "mount -t tmpfs -o mode=1777 shm /dev/shm"});
  } else if (static_cast<double>(memory.free_bytes) < needed) {
    findings.push_back(
        {.level = Level::kProblem,
         .topic = "/dev/shm",
         .what = fmt::format("{}, {} ranks need {}", sizes, ranks, size_text(needed)),
         .fix = "mount -o remount,size=1g /dev/shm; for a container: docker run "
                "--shm-size=1g"});
  } else {
    findings.push_back(ok("/dev/shm", sizes));
  }
  if (!memory.left_over.empty()) {
    std::set<std::string> jobs;  // what is before the rank
    for (const std::string& file : memory.left_over) {
      jobs.insert(file.substr(0, file.rfind('.')) + ".*");
    }
    findings.push_back({.level = Level::kNote,
                        .topic = "/dev/shm",
                        .what = fmt::format("{} files ({}) that no MPI job here uses any more",
                                            memory.left_over.size(),
                                            size_text(static_cast<double>(memory.left_over_bytes))),
                        .fix = fmt::format("rm {}", fmt::join(jobs, " "))});
  }
  if (!memory.copy_refusal.empty()) {
    findings.push_back(
        {.level = Level::kProblem,
         .topic = "ptrace",
         .what = fmt::format("a process may not read another's memory ({}), Open MPI wants to: "
                             "\"Read -1, expected ...\"",
                             memory.copy_refusal),
         .fix = "export OMPI_MCA_btl_vader_single_copy_mechanism=none, or docker run --cap-add "
                "SYS_PTRACE"});
  } else {
    findings.push_back(ok("ptrace", "ranks may copy from each other's memory"));
  }
}

void judge_memory(const Facts& facts, std::vector<Finding>& findings) {
  const auto available = static_cast<double>(facts.memory_bytes);
  const double needed = kRankBytes * facts.ranks;
  if (available < needed) {
    findings.push_back(
        {.level = Level::kProblem,
         .topic = "memory",
         .what = fmt::format("{} available, {} ranks of the tutorial's network take {}",
                             size_text(available), facts.ranks, size_text(needed)),
         .fix = fmt::format("convoy train -n {}, or raise the container's memory limit",
                            std::max(1, static_cast<int>(available / kRankBytes)))});
  } else {
    findings.push_back(ok("memory", size_text(available) + " available"));
  }
}

void judge_disk(const std::string& topic, const DiskFacts& disk, const std::string& instead,
                std::vector<Finding>& findings) {
  const auto free = static_cast<double>(disk.free_bytes);
  if (!disk.writable) {
    findings.push_back({.level = Level::kProblem,
                        .topic = topic,
                        .what = fmt::format("{} cannot be written", disk.directory),
                        .fix = instead});
  } else if (free < 100 * kMiB) {
    findings.push_back(
        {.level = Level::kProblem,
         .topic = topic,
         .what = fmt::format("{} free in {}", size_text(free), disk.directory),
         .fix = fmt::format("du -xh {} | sort -h | tail, or {}", disk.directory, instead)});
  } else {
    findings.push_back(ok(topic, fmt::format("{} free in {}", size_text(free), disk.directory)));
  }
}

void judge_data(const std::vector<DataFacts>& data, std::vector<Finding>& findings) {
  for (const DataFacts& set : data) {
    if (set.found) {
      findings.push_back(ok("data", fmt::format("{} is in {}", set.name, set.directory)));
    } else {
      findings.push_back({.level = Level::kNote,
                          .topic = "data",
                          .what = fmt::format("no {} in {}", set.name, set.directory),
                          .fix = set.name == "mnist" ? "deploy/fetch-mnist"
                                                     : "apt-get install dataset-" + set.name});
    }
  }
}

}  // namespace

int usable_cores(const ProcessorFacts& processor) {
  auto cores = static_cast<double>(processor.allowed.size());
  if (processor.quota) {
    cores = std::min(cores, *processor.quota);
  }
  return std::max(1, static_cast<int>(std::floor(cores)));
}

std::vector<Finding> judge(const Facts& facts) {
  std::vector<Finding> findings = {
      ok("convoy", facts.convoy), ok("BLIS", facts.blis),
      ok("gRPC", facts.grpc.empty() ? "left out: convoy status, stop and coordinator are not there"
                                    : fmt::format("{}, with the coordinator", facts.grpc))};
  judge_processor(facts.processor, findings);
  judge_cores(facts, findings);
  judge_memory(facts, findings);
  std::ranges::move(judge_mpi(facts.mpi, facts.processor, facts.root),
                    std::back_inserter(findings));
  judge_shared_memory(facts.shared_memory, facts.ranks, findings);
  std::ranges::move(judge_network(facts.network), std::back_inserter(findings));
  judge_disk("disk", facts.runs, "convoy train --run-dir DIR elsewhere", findings);
  judge_disk("disk", facts.temporary, "export TMPDIR=DIR elsewhere", findings);
  judge_data(facts.data, findings);
  return findings;
}

}  // namespace convoy::launcher
