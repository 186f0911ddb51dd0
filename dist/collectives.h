// MPI's collectives on any Communicator. Every rank of the group calls the same ones in the same
// order; each returns when its result is there. All are built on one binomial tree rooted in rank
// 0, so that a sum has one order, the same on every rank and in every run, and takes 2 log2(ranks)
// messages one after the other. Meant for small things (counts, statistics, options, start-up);
// gradients go through dist/gradient_reducer.h.
//
// Throws Error if a rank does not answer in time, as Communicator::wait says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "dist/communicator.h"

namespace convoy::dist {

/// Longer messages are refused, before memory is taken for them; that of all ranks together in
/// all_gather. MPI takes no longer ones.
inline constexpr std::uint64_t kMaxCollectiveBytes = (std::uint64_t{1} << 31) - 1;

/// Adds up `values` element by element over all ranks, in place; whole numbers modulo 2^64.
void all_reduce_sum(Communicator& communicator, std::span<double> values);
void all_reduce_sum(Communicator& communicator, std::span<std::int64_t> values);

/// Copies rank 0's bytes to all ranks. The length must be the same everywhere.
void broadcast(Communicator& communicator, std::span<std::byte> bytes);
/// The same with a length that only rank 0 knows.
std::vector<std::byte> broadcast(Communicator& communicator, std::vector<std::byte> bytes);

/// Every rank's bytes, of any length, in the order of ranks, on every rank.
std::vector<std::vector<std::byte>> all_gather(Communicator& communicator,
                                               std::span<const std::byte> mine);

/// Returns when every rank has come here.
void barrier(Communicator& communicator);

}  // namespace convoy::dist
