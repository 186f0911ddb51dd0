// Buckets of the gradient between ranks that share memory: nothing is sent. Each rank reads the
// others' partial sums of its own chunk where they lie (dist/shared_store.h), or the factors that
// they left instead (dist/shared_factors.h).
//
// A bucket is finished when all ranks' partial sums of it are there. The sum of a chunk is not
// handed on: its owner takes it and updates the weights of the chunk. Others may still read this
// rank's partial sums, until SharedStore::end_step.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "dist/bucket_exchange.h"
#include "dist/shared_store.h"

namespace convoy::dist {

class SharedExchange : public BucketExchange {
 public:
  /// `shared` must outlive this. A partial sum that lies elsewhere is copied to where others see
  /// it.
  SharedExchange(const Parts& parts, SharedStore& shared);

  std::span<float> factor_memory(const Parameter& parameter) override;
  std::chrono::nanoseconds take_sum(int bucket) override;

 private:
  void begin() override;
  void start_bucket(int index) override;
  Progress advance_bucket(int index) override;
  std::optional<Transfer> awaited_transfer() const override;

  // Calls body(range, weight) with the parts of `range` that are in a weight whose gradient may be
  // left as its factors, and body(range, nullptr) with what is between.
  template <typename Body>
  void for_parts(Range range, const Body& body) const;
  void count_bytes(int index);

  SharedStore& shared_;
  std::int64_t steps_ = 0;                  // begun; what marks say in this one
  std::vector<int> peers_;                  // by bucket: all ranks before this one are ready
  std::vector<const float*> operands_;      // all partial sums
  std::vector<const float*> own_operands_;  // the part that is added up
};

}  // namespace convoy::dist
