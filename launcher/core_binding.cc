#include "launcher/core_binding.h"

#include <sched.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <tuple>

#include "launcher/notice.h"

namespace convoy::launcher {
namespace {

int topology(int cpu, const char* what) {
  std::ifstream file("/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/" + what);
  int value = 0;
  return file >> value ? value : cpu;
}

bool same_core(const Cpu& a, const Cpu& b) {
  return a.package == b.package && a.core == b.core;
}

std::optional<int> number_of(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::nullopt : std::optional(std::atoi(value));
}

}  // namespace

std::vector<Cpu> usable_cpus(int pid) {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<Cpu> cpus;
  if (sched_getaffinity(pid, sizeof set, &set) != 0) {
    return cpus;
  }
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &set)) {
      cpus.push_back({.number = cpu,
                      .package = topology(cpu, "physical_package_id"),
                      .core = topology(cpu, "core_id")});
    }
  }
  std::ranges::sort(cpus, {},
                    [](const Cpu& cpu) { return std::tuple(cpu.package, cpu.core, cpu.number); });
  return cpus;
}

int count_cores(const std::vector<Cpu>& cpus) {
  int cores = 0;
  for (std::size_t i = 0; i < cpus.size(); ++i) {
    cores += i == 0 || !same_core(cpus[i - 1], cpus[i]) ? 1 : 0;
  }
  return cores;
}

std::vector<Cpu> share_of(const std::vector<Cpu>& cpus, int rank, int ranks) {
  const int cores = count_cores(cpus);
  const bool whole_cores = cores >= ranks;
  const int units = whole_cores ? cores : static_cast<int>(cpus.size());
  std::vector<Cpu> share;
  if (ranks < 1 || units < ranks) {
    return share;
  }
  const int begin = static_cast<int>(std::int64_t{units} * rank / ranks);
  const int end = static_cast<int>(std::int64_t{units} * (rank + 1) / ranks);
  int unit = -1;
  for (std::size_t i = 0; i < cpus.size(); ++i) {
    unit += i == 0 || !whole_cores || !same_core(cpus[i - 1], cpus[i]) ? 1 : 0;
    if (unit >= begin && unit < end) {
      share.push_back(cpus[i]);
    }
  }
  return share;
}

void keep_to_own_cores() {
  const auto rank = number_of("OMPI_COMM_WORLD_LOCAL_RANK");
  const auto ranks = number_of("OMPI_COMM_WORLD_LOCAL_SIZE");
  const bool bound = number_of("OMPI_MCA_orte_bound_at_launch") == 1;
  if (std::getenv(kLauncherVariable) == nullptr || bound || !rank || !ranks) {
    return;
  }
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const Cpu& cpu : share_of(usable_cpus(), *rank, *ranks)) {
    CPU_SET(cpu.number, &set);
  }
  if (CPU_COUNT(&set) > 0) {
    sched_setaffinity(0, sizeof set, &set);  // at worst they share: slower, the same result
  }
}

}  // namespace convoy::launcher
