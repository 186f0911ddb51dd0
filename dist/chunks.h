// Collectives over the chunks of a Partition: what a sharded optimizer needs besides the reduction
// of gradients. Both use large messages and are called by every rank alike; they throw Error if a
// rank does not answer in time.
#pragma once

#include <span>

#include "dist/communicator.h"
#include "dist/partition.h"

namespace convoy::dist {

/// Sends every rank's chunks of `values` (all elements) to all others.
void all_gather_chunks(Communicator& communicator, const Partition& partition,
                       std::span<float> values);

/// Rank 0's `all` gets every rank's chunks; `own` holds a rank's, one after the other. Elsewhere
/// `all` is not looked at.
void gather_chunks(Communicator& communicator, const Partition& partition,
                   std::span<const float> own, std::span<float> all);

}  // namespace convoy::dist
