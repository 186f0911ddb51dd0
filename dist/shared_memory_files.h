// The files through which Open MPI's ranks on one host share memory (4 MB each in /dev/shm). It
// removes them when MPI is finalized; a job that dies with its mpirun leaves them behind.
//
// Once all ranks have mapped them, nobody needs their names. So they are unlinked while the job
// runs, and nothing can stay behind whatever kills it. The memory itself is as before.
#pragma once

#include <string>
#include <vector>

namespace convoy::dist {

/// Those that this process has mapped, by /proc/self/maps.
std::vector<std::string> mapped_shared_memory_files();

/// Removes them; those that are gone already don't matter.
void unlink_files(const std::vector<std::string>& files);

/// Puts empty ones in their places: Open MPI complains at the end about files that it cannot
/// unlink.
void restore_files(const std::vector<std::string>& files);

}  // namespace convoy::dist
