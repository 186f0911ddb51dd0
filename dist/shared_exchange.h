// Buckets of the gradient between ranks that share memory: nothing is sent. Each rank reads the
// others' partial sums of its own chunk where they lie (dist/shared_store.h), or the factors that
// they left instead (dist/factored_gradients.h).
//
// A bucket is finished when all ranks' partial sums of it are there. The sum of a chunk is not
// handed on: its owner takes it and updates the weights of the chunk. Others may still read this
// rank's partial sums, until SharedStore::end_step.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "dist/bucket_exchange.h"
#include "dist/factored_gradients.h"
#include "dist/shared_store.h"

namespace convoy::dist {

class SharedExchange : public BucketExchange {
 public:
  /// `shared` and `factored` must outlive this; without the latter all gradients are added up. A
  /// partial sum that lies elsewhere is copied to where others see it.
  SharedExchange(const Parts& parts, SharedStore& shared,
                 const FactoredGradients* factored = nullptr);

  std::chrono::nanoseconds take_sum(int bucket) override;

 private:
  void begin() override;
  void start_bucket(int index) override;
  Progress advance_bucket(int index) override;
  std::optional<Transfer> awaited_transfer() const override;

  // As FactoredGradients does; in one part if there are none.
  template <typename Body>
  void for_parts(Range range, const Body& body) const;
  template <typename Body>
  void for_parts_of_others(int bucket, const Body& body) const;
  // Of this rank's partial sums: whether it is there as factors, and its index among all ranks'.
  bool is_factored(const FactoredGradients::Weight* weight, std::size_t partial) const;
  std::size_t mine(std::size_t partial) const;
  void count_bytes(int index);

  SharedStore& shared_;
  const FactoredGradients* factored_;
  std::int64_t steps_ = 0;                  // begun; what marks say in this one
  std::vector<int> peers_;                  // by bucket: all ranks before this one are ready
  std::vector<const float*> operands_;      // all partial sums
  std::vector<const float*> own_operands_;  // the part that is added up
};

}  // namespace convoy::dist
