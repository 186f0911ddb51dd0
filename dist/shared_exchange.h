// Buckets of the gradient between ranks that share memory: nothing is sent. Each rank reads the
// others' partial sums of its own chunk where they lie (dist/shared_store.h).
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

  void take_sum(int bucket) override;

 private:
  void begin() override;
  void start_bucket(int index) override;
  Progress advance_bucket(int index) override;
  std::optional<Transfer> awaited_transfer() const override;

  SharedStore& shared_;
  std::int64_t steps_ = 0;  // begun; what marks say in this one
  std::vector<int> peers_;  // by bucket: all ranks before this one are ready
  std::vector<const float*> operands_;
};

}  // namespace convoy::dist
