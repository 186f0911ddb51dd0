#include "dist/partition.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/optim/clip.h"

namespace convoy::dist {
namespace {

constexpr std::int64_t kBlock = optim::kNormBlock;

std::int64_t blocks(std::int64_t elements) {
  return (elements + kBlock - 1) / kBlock;
}

}  // namespace

Partition::Partition(std::int64_t elements, int ranks, std::int64_t bucket_bytes)
    : elements_(elements), ranks_(ranks) {
  check(elements >= 0 && ranks >= 1 && bucket_bytes >= 1,
        "{} elements cannot be cut into buckets of {} bytes for {} ranks", elements, bucket_bytes,
        ranks);
  constexpr auto kElementBytes = static_cast<std::int64_t>(sizeof(float));
  const std::int64_t least = (blocks(elements) + kMaxBuckets - 1) / kMaxBuckets;
  bucket_elements_ =
      kBlock * std::max({blocks(bucket_bytes / kElementBytes), least, std::int64_t{1}});
  // A model without parameters has one empty bucket, because reports ride in the buckets.
  std::int64_t begin = 0;
  do {
    const std::int64_t end = std::min(begin + bucket_elements_, elements);
    buckets_.push_back({.begin = begin, .end = end});
    begin = end;
  } while (begin < elements);
}

int Partition::bucket_of(std::int64_t element) const {
  return static_cast<int>(element / bucket_elements_);
}

Range Partition::chunk(int bucket, int rank) const {
  const Range whole = this->bucket(bucket);
  const Range part = data::part_of({.begin = 0, .end = blocks(whole.size())}, rank, ranks_);
  return {.begin = std::min(whole.begin + part.begin * kBlock, whole.end),
          .end = std::min(whole.begin + part.end * kBlock, whole.end)};
}

std::int64_t Partition::owned_elements(int rank) const {
  std::int64_t sum = 0;
  for (int index = 0; index < buckets(); ++index) {
    sum += chunk(index, rank).size();
  }
  return sum;
}

}  // namespace convoy::dist
