// The parameters of ranks that share memory: each rank's weights and partial sums of gradients
// where all others can read them. Every rank works on its own copies as ever, so that nobody waits
// for another but where it reads from it.
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

/// How far a rank is with a bucket: in how many steps its partial sums have been ready (and the
/// header been written), and it has taken what it needs of the others'.
struct alignas(64) BucketMarks {
  std::int64_t ready = 0;
  std::int64_t taken = 0;
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
  /// Moves the store's values there, and its gradients if they are this rank's only partial sum;
  /// from then on they keep that memory alive by themselves. The parts must outlive this. A
  /// collective. REQUIRES: communicator.shares_memory().
  SharedStore(ParameterStore& store, const BucketExchange::Parts& parts);

  BucketMarks& marks(int rank, int bucket);
  /// A rank's partial sum, in the tree's order, of all elements.
  std::span<float> partial(int rank, int index) const;

  /// Every rank has updated its chunks of the weights: copies the others' from where they lie.
  /// When it returns, nobody reads this rank's any more. Throws Error, naming a rank that does not
  /// come to this.
  void gather_values();

 private:
  // In how many steps a rank has updated its chunks, and copied those of all others.
  struct UpdateMarks {
    std::int64_t updated = 0;
    std::int64_t copied = 0;
  };

  float* floats(int rank, std::size_t offset_bytes) const;
  UpdateMarks& update_marks(int rank) const;

  BucketExchange::Parts parts_;
  std::size_t marks_bytes_;                           // where the marks of buckets begin in a block
  std::size_t values_bytes_;                          // the values
  std::size_t partials_bytes_;                        // and the partial sums
  std::vector<std::shared_ptr<std::byte[]>> blocks_;  // by rank
  std::int64_t updates_ = 0;
};

}  // namespace convoy::dist
