// How the flat buffers of a ParameterStore are cut: into buckets, which travel one after the other,
// and each bucket into a chunk per rank, which that rank adds up (and, with a sharded optimizer,
// updates). A pure function of sizes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/data/sampler.h"

namespace convoy::dist {

using data::Range;

/// The elements of `range`.
template <typename Value>
std::span<Value> part(std::span<Value> values, Range range) {
  return values.subspan(static_cast<std::size_t>(range.begin),
                        static_cast<std::size_t>(range.size()));
}

class Partition {
 public:
  /// Chunks and buckets begin at multiples of optim::kNormBlock elements. `bucket_bytes` is rounded
  /// up to such a multiple, and further if there would be more than kMaxBuckets.
  Partition(std::int64_t elements, int ranks, std::int64_t bucket_bytes);

  int ranks() const { return ranks_; }
  std::int64_t elements() const { return elements_; }
  int buckets() const { return static_cast<int>(buckets_.size()); }
  /// Elements of a bucket; the last may be smaller.
  Range bucket(int index) const { return buckets_[static_cast<std::size_t>(index)]; }
  /// The bucket that holds an element.
  int bucket_of(std::int64_t element) const;
  /// A rank's part of a bucket; empty if there are more ranks than blocks in it.
  Range chunk(int bucket, int rank) const;
  /// Elements of all chunks of a rank.
  std::int64_t owned_elements(int rank) const;

  static constexpr int kMaxBuckets = 8192;

 private:
  std::int64_t elements_;
  int ranks_;
  std::int64_t bucket_elements_;
  std::vector<Range> buckets_;
};

}  // namespace convoy::dist
