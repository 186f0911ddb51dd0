// Which processors a process may use, and which of them a rank that `convoy train -n` started keeps
// to. How many threads it gets is in launcher/cores.h.
#pragma once

#include <vector>

namespace convoy::launcher {

/// What the kernel calls a CPU: a core, or one of the hardware threads of a core.
struct Cpu {
  int number = 0;
  int package = 0;  ///< the socket
  int core = 0;     ///< within its package
};

/// Those that process `pid` may use (0: this one), as /sys describes them, in the order of their
/// sockets and cores. Empty if the system does not tell.
std::vector<Cpu> usable_cpus(int pid = 0);

int count_cores(const std::vector<Cpu>& cpus);

/// The part of `cpus` for one of `ranks` equal shares: neighbouring whole cores while there are
/// enough, hardware threads otherwise. Empty if there are more ranks than those: then nobody has
/// anything of his own.
std::vector<Cpu> share_of(const std::vector<Cpu>& cpus, int rank, int ranks);

/// In a rank that `convoy train -n` started: keeps to its share of the cores that mpirun may use.
/// All shares together are all cores, so that several jobs on a machine do not pile up on the first
/// ones. Where mpirun has bound the rank already, as the user told it to, that stays. Call before
/// other threads are started. Does nothing in other processes.
void keep_to_own_cores();

}  // namespace convoy::launcher
