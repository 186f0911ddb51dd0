// leaves_early METHOD: a rank that joins its job and then leaves it while the others go on.
//   exit      ends without a word to MPI
//   finalize  leaves MPI as it should, but nobody else does
#include <mpi.h>
#include <unistd.h>

#include <string_view>

#include "dist/job.h"

int main(int argc, char** argv) {
  const auto communicator = convoy::dist::join_job();
  if (argc == 2 && std::string_view(argv[1]) == "finalize") {
    MPI_Finalize();
  }
  _exit(0);
}
