#include "launcher/cores.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>

#include "core/base/parallel.h"
#include "dist/collectives.h"
#include "dist/job.h"
#include "launcher/core_binding.h"

namespace convoy::launcher {
namespace {

CoreSet cores_of(pid_t process) {
  CoreSet cores;
  for (const Cpu& cpu : usable_cpus(process)) {
    cores.set(static_cast<std::size_t>(cpu.number));
  }
  return cores;
}

RankCores cores_of_this_rank(std::optional<int> wish) {
  RankCores mine = {.allowed = cores_of(0)};
  mine.available = mine.allowed;
  if (dist::in_mpi_job()) {
    mine.available |=
        cores_of(getppid());  // mpirun or its daemon, which bound this rank, not itself
  }
  const char* environment = std::getenv("OMP_NUM_THREADS");
  if (wish) {
    mine.wish = *wish;
  } else if (environment != nullptr && *environment != '\0') {
    mine.wish = num_threads();
  }
  return mine;
}

struct HostCores {
  CoreSet allowed = {};
  CoreSet available = {};
  std::size_t ranks = 0;
  std::size_t threads = 0;
  bool crowded_rank = false;  // more threads than cores
  bool wished = true;         // all numbers of threads were asked for
};

std::map<std::string, HostCores> by_host(std::span<const std::string> hosts,
                                         std::span<const RankCores> ranks) {
  const std::vector<int> shares = share_threads(hosts, ranks);
  std::map<std::string, HostCores> result;
  for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
    const auto threads = static_cast<std::size_t>(shares[rank]);
    HostCores& host = result[hosts[rank]];
    host.allowed |= ranks[rank].allowed;
    host.available |= ranks[rank].available;
    host.ranks += 1;
    host.threads += threads;
    host.crowded_rank = host.crowded_rank || threads > ranks[rank].allowed.count();
    host.wished = host.wished && ranks[rank].wish > 0;
  }
  return result;
}

}  // namespace

std::vector<int> share_threads(std::span<const std::string> hosts,
                               std::span<const RankCores> ranks) {
  std::map<std::string, std::array<int, CoreSet().size()>> sharers;  // of each core of each host
  for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
    auto& counts = sharers[hosts[rank]];
    for (std::size_t core = 0; core < counts.size(); ++core) {
      counts[core] += ranks[rank].allowed[core] ? 1 : 0;
    }
  }
  std::vector<int> threads;
  for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
    const auto& counts = sharers[hosts[rank]];
    double share = 0.0;
    for (std::size_t core = 0; core < counts.size(); ++core) {
      share += ranks[rank].allowed[core] ? 1.0 / counts[core] : 0.0;
    }
    const int fair = std::max(1, static_cast<int>(share + 1e-6));
    threads.push_back(ranks[rank].wish > 0 ? ranks[rank].wish : fair);
  }
  return threads;
}

std::vector<std::string> core_warnings(std::span<const std::string> hosts,
                                       std::span<const RankCores> ranks) {
  std::vector<std::string> crowded;
  std::vector<std::string> idle;
  for (const auto& [name, host] : by_host(hosts, ranks)) {
    const std::size_t cores = host.allowed.count();
    const bool bound = cores < host.available.count();
    if (host.crowded_rank || host.threads > cores) {
      crowded.push_back(fmt::format(
          "{} threads of {} on the {} of {} slow each other down: {}", host.threads,
          host.ranks == 1 ? "one rank" : fmt::format("{} ranks", host.ranks),
          cores == 1 ? "one core" : fmt::format("{} cores", cores), name,
          bound ? fmt::format("mpirun bound them there, it has {}; start it with --bind-to none",
                              host.available.count())
                : "take fewer ranks or fewer --threads"));
    } else if (bound && !host.wished) {
      idle.push_back(fmt::format(
          "mpirun bound {} to {} of the {} cores of {}; to use all, start it with --bind-to none",
          host.ranks == 1 ? "one rank" : fmt::format("{} ranks", host.ranks), cores,
          host.available.count(), name));
    }
  }
  std::vector<std::string> lines;
  for (const std::vector<std::string>& of_a_kind : {crowded, idle}) {
    if (!of_a_kind.empty()) {
      lines.push_back(of_a_kind.front());
      if (of_a_kind.size() > 1) {
        lines.back() += fmt::format(" (so on {} hosts)", of_a_kind.size());
      }
    }
  }
  return lines;
}

void share_cores(dist::Communicator& communicator, std::optional<int> wish) {
  const RankCores mine = cores_of_this_rank(wish);
  std::vector<RankCores> ranks;
  std::vector<std::string> hosts;
  for (const std::vector<std::byte>& theirs :
       dist::all_gather(communicator, std::as_bytes(std::span(&mine, 1)))) {
    check(theirs.size() == sizeof mine, "ranks of different convoys: all need the same build");
    hosts.push_back(communicator.host(static_cast<int>(ranks.size())));
    std::memcpy(&ranks.emplace_back(), theirs.data(), sizeof mine);
  }
  set_num_threads(share_threads(hosts, ranks)[static_cast<std::size_t>(communicator.rank())]);
  if (communicator.rank() == 0) {
    for (const std::string& warning : core_warnings(hosts, ranks)) {
      fmt::print(stderr, "convoy: {}\n", warning);
    }
  }
}

}  // namespace convoy::launcher
