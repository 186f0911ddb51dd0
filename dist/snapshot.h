// A Snapshot as bytes, to pass it from one rank to others. Not a file format: the bytes are those
// of this build on this kind of machine. Files are the launcher's.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "dist/communicator.h"
#include "dist/trainer.h"

namespace convoy::dist {

/// Throws Error for optimizer state that is not flat.
std::vector<std::byte> snapshot_bytes(const Snapshot& snapshot);

/// Throws Error, before memory is taken, for bytes that are not a whole Snapshot.
Snapshot snapshot_of(std::span<const std::byte> bytes);

/// Gives rank 0's snapshot and weights (ParameterStore::all_values()) to all ranks, so that only
/// rank 0 needs to see the file system. Every rank calls it; the others' snapshots are ignored,
/// their weights, as many, are overwritten. Throws Error if a rank does not answer in time.
void broadcast_snapshot(Communicator& communicator, Snapshot& snapshot,
                        std::span<float> all_values);

}  // namespace convoy::dist
