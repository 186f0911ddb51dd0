// dist/job.h for a convoy without MPI (-DCONVOY_WITH_MPI=OFF).
#include <unistd.h>

#include <cstdio>

#include "dist/job.h"
#include "dist/job_environment.h"

namespace convoy::dist {

bool in_mpi_job() {
  return job_environment().launched;
}

bool built_with_mpi() {
  return false;
}

std::string mpi_library() {
  return "";
}

std::unique_ptr<Communicator> join_job() {
  const JobEnvironment environment = job_environment();
  check(!environment.launched || environment.ranks == 1,
        "this is one of several ranks, but this convoy was built without MPI\n"
        "Build it with -DCONVOY_WITH_MPI=ON, or start it without mpirun or srun.");
  return std::make_unique<LocalCommunicator>();
}

void abort_job(int exit_code) {
  std::fflush(nullptr);
  _exit(exit_code);
}

}  // namespace convoy::dist
