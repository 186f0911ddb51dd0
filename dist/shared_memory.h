// Memory that the processes of one host have in common, in files without a name: the kernel frees
// it with the last process that maps it, so whatever kills a job, nothing is left in /dev/shm.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "dist/communicator.h"

namespace convoy::dist {

/// What Communicator::share gives, for ranks that are processes; at a page's beginning, and in huge
/// pages where the system has them. Empty, on all ranks alike, if the ranks are on several hosts or
/// do not see each other's processes (containers). A collective. Throws Error if ranks ask for
/// different lengths.
std::vector<std::shared_ptr<std::byte[]>> share_memory(Communicator& communicator,
                                                       std::size_t bytes);

}  // namespace convoy::dist
