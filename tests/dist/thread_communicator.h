// Ranks as threads of one process, for testing algorithms: messages are copied through mailboxes.
// Tensors work on one thread each, so call set_num_threads(1) first.
#pragma once

#include <functional>

#include "dist/communicator.h"

namespace convoy::dist::testing {

/// Whether ranks see each other's memory, as processes of one host do. Then only timeouts end the
/// waits of others when one throws.
enum class Memory { kApart, kShared };

/// Runs `body` once per rank, each on a thread of its own, and returns when all are done. When one
/// throws, the others' waits end, and its exception is rethrown.
void run_ranks(int size, const std::function<void(Communicator&)>& body,
               Memory memory = Memory::kApart);

}  // namespace convoy::dist::testing
