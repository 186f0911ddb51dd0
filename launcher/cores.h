// How many threads each rank gets, so that the ranks of a host share its cores: by default every
// core has one thread.
#pragma once

#include <bitset>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dist/communicator.h"

namespace convoy::launcher {

/// Numbers of cores.
using CoreSet = std::bitset<1024>;

/// What one rank tells the others; plain bytes.
struct RankCores {
  CoreSet allowed = {};    ///< that it may run on: all, or those that the launcher bound it to
  CoreSet available = {};  ///< that its launcher may run on, and so could have given it
  int wish = 0;            ///< threads asked for by --threads or OMP_NUM_THREADS; 0: none
};

/// Each rank's threads: its wish, or else its share of the cores it may run on, where a core that n
/// ranks of the host may run on counts 1/n. At least 1. `hosts` and `ranks` are by rank.
std::vector<int> share_threads(std::span<const std::string> hosts,
                               std::span<const RankCores> ranks);

/// Lines to show: hosts (the first, and how many more) with more threads than cores, or whose
/// ranks are bound to fewer cores than there are while others lie idle. Empty if all is well.
std::vector<std::string> core_warnings(std::span<const std::string> hosts,
                                       std::span<const RankCores> ranks);

/// Sets this process's number of threads, after asking all ranks; rank 0 shows core_warnings on
/// stderr. A collective.
void share_cores(dist::Communicator& communicator, std::optional<int> wish);

}  // namespace convoy::launcher
