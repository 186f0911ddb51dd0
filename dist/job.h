// How this process came to be one rank of a job, and how it leaves.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "dist/communicator.h"

namespace convoy::dist {

/// Whether an MPI launcher (mpirun, srun) started this process; looks at the environment only.
bool in_mpi_job();

/// Whether this convoy was built with MPI.
bool built_with_mpi();

/// What the MPI library calls itself: "Open MPI v4.1.4, package: Debian ..."; empty without MPI.
std::string mpi_library();

/// The group of all ranks of the job, or the group of one where there is no launcher: then MPI is
/// not even initialized. Call once; MPI is finalized when the result and its duplicates are gone.
/// Throws Error if MPI cannot give what is needed (thread level MPI_THREAD_MULTIPLE), or if there
/// is a job of several ranks and this convoy has no MPI.
std::unique_ptr<Communicator> join_job();

/// Ends all ranks of the job at once, this one included, with `exit_code`. Flush output first.
[[noreturn]] void abort_job(int exit_code);

}  // namespace convoy::dist
