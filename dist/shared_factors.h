// The gradients of fully connected layers' weights between ranks that share memory: of few images
// they are left as their factors (core/nn/linear_factors.h), which are much smaller, and whoever
// owns a part of the sum multiplies all ranks' factors for that part alone.
//
// The bits are those of adding up the ranks' gradients: each rank's product is made for itself.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/nn/linear_factors.h"
#include "dist/bucket_exchange.h"

namespace convoy::dist {

class SharedFactors {
 public:
  /// For steps of at most `images` in each rank's part of the batch; 0: no gradient is left as its
  /// factors. A collective. REQUIRES: parts.communicator.shares_memory().
  SharedFactors(const ParameterStore& store, const BucketExchange::Parts& parts,
                std::int64_t images);

  /// This rank leaves no gradient so, until it asks for memory: before each step, when no rank
  /// reads factors any more.
  void begin_step();
  /// Where this rank is to leave those of a parameter's gradient; empty: nowhere.
  std::span<float> memory(const Parameter& parameter);

  /// A weight whose gradient may be left as its factors.
  struct Weight {
    Range range;  ///< in the flat buffers
    std::int64_t in;
    std::int64_t out;
    std::int64_t rows_at_once;               ///< that are multiplied
    std::vector<nn::LinearFactors> factors;  ///< by rank
  };
  std::span<const Weight> weights() const { return weights_; }
  /// This rank's, if it left any in this step.
  const nn::LinearFactors& mine(const Weight& weight) const {
    return weight.factors[static_cast<std::size_t>(me_)];
  }

  /// Adds up the ranks' gradients of some elements of `weight`. `partials`: of each rank, all
  /// elements; looked at if it left no factors. Uses all threads. REQUIRES: every rank is ready.
  void add_up(const Weight& weight, Range range, std::span<const float* const> partials,
              std::span<float> sum) const;

 private:
  const ShardTree& tree_;
  int me_;
  std::vector<Weight> weights_;                       // in the order of the flat buffers
  std::vector<std::shared_ptr<std::byte[]>> blocks_;  // by rank
};

}  // namespace convoy::dist
