// Buckets of the gradient between ranks that share memory: nothing is sent. Each rank reads the
// others' partial sums of its own chunk where they lie (dist/shared_store.h).
//
// The chunk's sum is not handed on: its owner updates the weights of the chunk, and those are.
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

 private:
  // A bucket is finished when all ranks have taken what they need of it, as only then the partial
  // sums may change.
  struct Bucket {
    bool taken = false;  // by this rank
    int peer = 0;        // all ranks before this one are ready, or then have taken
  };

  void begin() override;
  void start_bucket(int index) override;
  Progress advance_bucket(int index) override;
  std::optional<Transfer> awaited_transfer() const override;

  void take(int index);

  SharedStore& shared_;
  std::int64_t steps_ = 0;  // begun; what marks say in this one
  std::vector<Bucket> buckets_;
  std::vector<const float*> operands_;
};

}  // namespace convoy::dist
