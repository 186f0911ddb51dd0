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

// A block: the marks of updates, those of buckets, all values, then the partial sums.
SharedStore::SharedStore(ParameterStore& store, const BucketExchange::Parts& parts)
    : parts_(parts),
      marks_bytes_(alignof(BucketMarks)),
      values_bytes_(page_end(marks_bytes_ + static_cast<std::size_t>(parts.partition.buckets()) *
                                                sizeof(BucketMarks))),
      partials_bytes_(page_end(values_bytes_ + store.all_values().size_bytes())),
      blocks_(parts.communicator.share(
          partials_bytes_ + most_partials(parts.tree) * float_bytes(parts.partition.elements()))) {
  const int me = parts.communicator.rank();
  const std::shared_ptr<std::byte[]>& block = blocks_[static_cast<std::size_t>(me)];
  const auto tensor = [&](std::size_t offset_bytes, std::size_t elements) {
    return Tensor::in(std::shared_ptr<float[]>(block, floats(me, offset_bytes)),
                      {static_cast<std::int64_t>(elements)});
  };
  const bool one_partial = parts.tree.partials_of(me).size() == 1;
  store.move_to(tensor(values_bytes_, store.all_values().size()),
                one_partial ? tensor(partials_bytes_, store.gradients().size()) : Tensor());
}

float* SharedStore::floats(int rank, std::size_t offset_bytes) const {
  return reinterpret_cast<float*>(blocks_[static_cast<std::size_t>(rank)].get() + offset_bytes);
}

SharedStore::UpdateMarks& SharedStore::update_marks(int rank) const {
  return *reinterpret_cast<UpdateMarks*>(blocks_[static_cast<std::size_t>(rank)].get());
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

void SharedStore::gather_values() {
  Communicator& communicator = parts_.communicator;
  const int me = communicator.rank();
  set_mark(update_marks(me).updated, ++updates_);
  for (int step = 1; step < communicator.size(); ++step) {
    // Each rank begins with another one, so that they don't all read from the same.
    const int rank = (me + step) % communicator.size();
    communicator.wait_until(rank, [&] { return mark(update_marks(rank).updated) >= updates_; });
    for (int bucket = 0; bucket < parts_.partition.buckets(); ++bucket) {
      const Range range = parts_.partition.chunk(bucket, rank);
      std::copy_n(floats(rank, values_bytes_) + range.begin, range.size(),
                  floats(me, values_bytes_) + range.begin);
    }
  }
  set_mark(update_marks(me).copied, updates_);
  for (int rank = 0; rank < communicator.size(); ++rank) {
    communicator.wait_until(rank, [&] { return mark(update_marks(rank).copied) >= updates_; });
  }
}

}  // namespace convoy::dist
