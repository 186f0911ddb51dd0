#include "dist/shared_store.h"

#include <algorithm>

namespace convoy::dist {
namespace {

constexpr std::size_t kPageBytes = 4096;

std::size_t page_end(std::size_t bytes) {
  return (bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
}

std::size_t float_bytes(std::int64_t elements) {
  return static_cast<std::size_t>(elements) * sizeof(float);
}

std::size_t most_partials(const ShardTree& tree) {
  std::size_t most = 0;
  for (int rank = 0; rank < tree.ranks(); ++rank) {
    most = std::max(most, tree.partials_of(rank).size());
  }
  return most;
}

}  // namespace

// A block: the mark of ended steps, those of buckets, all values, then the partial sums.
SharedStore::SharedStore(ParameterStore& store, const BucketExchange::Parts& parts)
    : parts_(parts),
      marks_bytes_(alignof(BucketMarks)),
      values_bytes_(page_end(marks_bytes_ + static_cast<std::size_t>(parts.partition.buckets()) *
                                                sizeof(BucketMarks))),
      partials_bytes_(page_end(values_bytes_ + store.all_values().size_bytes())),
      blocks_(parts.communicator.share(
          partials_bytes_ + most_partials(parts.tree) * float_bytes(parts.partition.elements()))),
      one_copy_(store.buffers().empty()) {
  const int me = parts.communicator.rank();
  const auto tensor = [&](int rank, std::size_t offset_bytes, std::size_t elements) {
    return Tensor::in(std::shared_ptr<float[]>(blocks_[static_cast<std::size_t>(rank)],
                                               floats(rank, offset_bytes)),
                      {static_cast<std::int64_t>(elements)});
  };
  const Tensor values = tensor(one_copy_ ? 0 : me, values_bytes_, store.all_values().size());
  const Tensor gradients = parts.tree.partials_of(me).size() == 1
                               ? tensor(me, partials_bytes_, store.gradients().size())
                               : Tensor();
  if (one_copy_ && me != 0) {
    store.adopt(values, gradients);
  } else {
    store.move_to(values, gradients);
  }
  end_step();  // rank 0's are there
}

float* SharedStore::floats(int rank, std::size_t offset_bytes) const {
  return reinterpret_cast<float*>(blocks_[static_cast<std::size_t>(rank)].get() + offset_bytes);
}

std::int64_t& SharedStore::steps_ended(int rank) const {
  return *reinterpret_cast<std::int64_t*>(blocks_[static_cast<std::size_t>(rank)].get());
}

BucketMarks& SharedStore::marks(int rank, int bucket) {
  std::byte* const first = blocks_[static_cast<std::size_t>(rank)].get() + marks_bytes_;
  return reinterpret_cast<BucketMarks*>(first)[bucket];
}

std::span<float> SharedStore::partial(int rank, int index) const {
  const std::int64_t elements = parts_.partition.elements();
  return {floats(rank, partials_bytes_ + static_cast<std::size_t>(index) * float_bytes(elements)),
          static_cast<std::size_t>(elements)};
}

void SharedStore::end_step() {
  const int me = parts_.communicator.rank();
  const int ranks = parts_.communicator.size();
  set_mark(steps_ended(me), ++steps_);
  for (int step = 1; step < ranks; ++step) {
    // Each rank begins with another one, so that they don't all read from the same.
    const int rank = (me + step) % ranks;
    parts_.communicator.wait_until(rank, [&] { return mark(steps_ended(rank)) >= steps_; });
    for (int bucket = 0; !one_copy_ && bucket < parts_.partition.buckets(); ++bucket) {
      const Range range = parts_.partition.chunk(bucket, rank);
      std::copy_n(floats(rank, values_bytes_) + range.begin, range.size(),
                  floats(me, values_bytes_) + range.begin);
    }
  }
}

}  // namespace convoy::dist
