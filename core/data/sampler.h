// Which images are in which batch. Everything here is a pure function: no state, no communicator;
// rank and world size are plain ints.
//
// An epoch visits every image exactly once, in an order that depends on (size, seed, epoch) alone.
// It is cut into global batches of `batch_size`; the last one may be smaller. A rank takes its
// slice of each global batch. So nothing is padded, dropped or seen twice, whatever the number of
// ranks.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace convoy::data {

struct SamplerOptions {
  std::int64_t size = 0;         ///< images in the data set, below 2^32
  std::int64_t batch_size = 32;  ///< of the global batch
  std::uint64_t seed = 0;
  bool shuffle = true;  ///< false: 0, 1, 2, ... in every epoch
};

/// A half-open range of positions in an epoch's order.
struct Range {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::int64_t size() const { return end - begin; }
  friend bool operator==(const Range&, const Range&) = default;
};

/// Writes the ids in the order of `epoch` (from 0) into `order`; allocates only if it has to grow.
/// Throws Error for impossible options. Fisher-Yates with Philox, key (seed, kShuffle, epoch).
void epoch_order(const SamplerOptions& options, std::int64_t epoch,
                 std::vector<std::int64_t>& order);

/// Global batches in an epoch, the smaller last one included.
std::int64_t batches_per_epoch(const SamplerOptions& options);

/// The positions of global batch `index`. REQUIRES: 0 <= index < batches_per_epoch().
Range batch_range(const SamplerOptions& options, std::int64_t index);

/// Part `part` of `parts` equal parts of `whole`: contiguous, sizes differ by at most one, larger
/// ones first, empty where there are more parts than positions. For the slice of a rank in a
/// batch, and for that of a micro-shard. REQUIRES: 0 <= part < parts.
Range part_of(Range whole, int part, int parts);

/// What a set of ids adds up to. Digests of disjoint parts merge to the digest of the whole, so
/// equality with `of_all` shows that each id was seen exactly once (up to a 128-bit coincidence).
struct IdDigest {
  std::uint64_t count = 0;
  std::uint64_t sum = 0;       ///< of the mixed ids, modulo 2^64
  std::uint64_t combined = 0;  ///< exclusive or of the mixed ids

  void add(std::span<const std::int64_t> ids);
  void merge(const IdDigest& other);
  static IdDigest of_all(std::int64_t size);
  friend bool operator==(const IdDigest&, const IdDigest&) = default;
};

}  // namespace convoy::data
