// What the environment says about the launcher that started this process; no MPI here.
#pragma once

#include <optional>

namespace convoy::dist {

struct JobEnvironment {
  bool launched = false;          ///< by an MPI launcher: mpirun, or srun with PMI or PMIx
  std::optional<int> ranks = {};  ///< that it started, if it says so
  std::optional<int> rank = {};   ///< this one, if it says so
};

/// Throws Error for a task of `srun` that has sisters but no way to find them: each would train
/// everything by itself.
JobEnvironment job_environment();

/// This process's number among those that a launcher started beside it, whether or not they can
/// find each other; none if it was started alone.
std::optional<int> launched_rank();

}  // namespace convoy::dist
