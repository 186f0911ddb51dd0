// The parameters of ranks that share memory: the weights, of which there is one copy for all, and
// each rank's partial sums of gradients where the others can read them.
//
// A rank updates its own chunk of a bucket when all ranks' gradients of that are ready: by then
// nobody reads those weights any more in this step. It goes on when all chunks are updated. Behind
// the weights lie a model's buffers, which are each rank's own; ranks whose model has any keep a
// copy of the weights each, and copy the others' chunks.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/autograd/parameter.h"
#include "dist/bucket_exchange.h"

namespace convoy::dist {

/// How far a rank is with a bucket: in how many steps its partial sums have been ready and the
/// header been written.
struct alignas(64) BucketMarks {
  std::int64_t ready = 0;
  BucketHeader header = {};
};

/// What was written before a mark was set is seen by whoever sees the mark.
inline void set_mark(std::int64_t& mark, std::int64_t value) {
  std::atomic_ref(mark).store(value, std::memory_order_release);
}
inline std::int64_t mark(std::int64_t& mark) {
  return std::atomic_ref(mark).load(std::memory_order_acquire);
}
static_assert(std::atomic_ref<std::int64_t>::is_always_lock_free, "marks pass between processes");

class SharedStore {
 public:
  /// Moves the store's values there (rank 0's, if there is one copy), and its gradients if they are
  /// this rank's only partial sum; from then on they keep that memory alive by themselves. The
  /// parts must outlive this. A collective. REQUIRES: communicator.shares_memory().
  SharedStore(ParameterStore& store, const BucketExchange::Parts& parts);

  BucketMarks& marks(int rank, int bucket);
  /// A rank's partial sum, in the tree's order, of all elements.
  std::span<float> partial(int rank, int index) const;

  /// To be called when this rank has taken the sums of its chunks and updated the weights of these,
  /// or left them as they are. Returns when all ranks have, and all weights are there: partial sums
  /// may change from now on; weights, when all ranks are ready again. Throws Error, naming a rank
  /// that does not come to this.
  void end_step();

 private:
  float* floats(int rank, std::size_t offset_bytes) const;
  std::int64_t& steps_ended(int rank) const;  // a mark

  BucketExchange::Parts parts_;
  std::size_t marks_bytes_;                           // where the marks of buckets begin in a block
  std::size_t values_bytes_;                          // the values
  std::size_t partials_bytes_;                        // and the partial sums
  std::vector<std::shared_ptr<std::byte[]>> blocks_;  // by rank
  bool one_copy_;                                     // of the weights: in rank 0's block
  std::int64_t steps_ = 0;                            // ended
};

}  // namespace convoy::dist
