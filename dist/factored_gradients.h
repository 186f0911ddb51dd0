// Gradients of fully connected layers' weights that shards of few images leave as their factors
// (core/nn/linear_factors.h), which are much smaller. They are multiplied where they are added up:
// if ranks share memory, by whoever owns a part of the sum, of all ranks' factors and for that part
// alone; otherwise by each rank for its own partial sums.
//
// The bits are those of adding up the shards' gradients: each shard's product is made for itself.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/nn/linear_factors.h"
#include "dist/bucket_exchange.h"

namespace convoy::dist {

class FactoredGradients {
 public:
  struct Options {
    std::int64_t images;  ///< of a shard at most; 0: no gradient is left as its factors
    bool shared;          ///< ranks read each other's; REQUIRES: communicator.shares_memory()
  };
  /// A collective if `shared`. The parts must outlive this.
  FactoredGradients(const ParameterStore& store, const BucketExchange::Parts& parts,
                    Options options);

  /// Before a rank's shards of a step, when no other reads the factors of the last. Each shard then
  /// asks where to leave those of a parameter's gradient (empty: nowhere), and ends; so does each
  /// partial sum.
  void begin_step();
  std::span<float> memory(const Parameter& parameter);
  /// `gradients` of the shard, of all parameters, settled.
  void end_shard(std::span<const float> gradients);
  /// Writes to `sum`, of all parameters, what nobody else is going to multiply.
  void end_partial(std::span<float> sum);

  /// A weight whose gradient may be left as its factors.
  struct Weight {
    Range range;  ///< in the flat buffers
    std::int64_t in;
    std::int64_t out;
    std::int64_t place;  ///< of its factors among a shard's
    /// By partial sum of all ranks, in the tree's order, and by shard in it.
    std::vector<std::vector<nn::LinearFactors>> factors;
    bool leaving = false;                ///< the partial sum at hand leaves factors of it
    std::vector<Tensor> gradients = {};  ///< of that one's shards which did not, all the same
  };
  std::span<const Weight> weights() const { return weights_; }
  /// The index of a rank's first partial sum.
  std::size_t first_partial(int rank) const {
    return first_partials_[static_cast<std::size_t>(rank)];
  }
  /// Whether all shards of a partial sum left factors, and nobody has multiplied them yet.
  static bool there(const Weight& weight, std::size_t partial) {
    return !weight.factors[partial].empty() && weight.factors[partial].front().there();
  }
  static bool any_there(const Weight& weight);
  /// Of all those factors. REQUIRES: they are there.
  static std::int64_t images(const Weight& weight, std::size_t partial);
  /// Calls body(part, weight) with the parts of `range` that are in one of `weights()`, and
  /// body(part, nullptr) with what is between.
  template <typename Body>
  void for_parts(Range range, const Body& body) const;

  /// Adds up all ranks' partial sums of some elements of `weight`. `partials`: those elements of
  /// each; looked at where it is not there as factors. Uses all threads. REQUIRES: every rank is
  /// ready.
  void add_up(const Weight& weight, Range range, std::span<const float* const> partials,
              std::span<float> sum) const;

 private:
  // Lists those for which it pays; returns the floats that all factors of a shard take.
  std::int64_t list_weights(const ParameterStore& store);
  bool pays(std::int64_t in, std::int64_t out) const;
  void place_factors(std::int64_t floats_of_shard);
  void multiply(const Weight& weight, std::size_t partial, Range rows, float* products,
                float* sum) const;
  void make_sum(const Weight& weight, std::span<float> sum) const;

  BucketExchange::Parts parts_;
  Options options_;
  std::vector<std::size_t> first_partials_;  // by rank
  std::vector<ShardTree> trees_;             // by partial sum: over its shards
  std::size_t shards_of_partial_ = 1;        // at most
  std::size_t shards_of_rank_ = 1;
  std::vector<Weight> weights_;                       // in the order of the flat buffers
  Tensor memory_;                                     // this rank's, unless shared
  std::vector<std::shared_ptr<std::byte[]>> blocks_;  // by rank, if shared

  // Of the step at hand.
  std::size_t partial_ = 0;
  std::size_t shard_ = 0;  // in the partial sum
};

template <typename Body>
void FactoredGradients::for_parts(Range range, const Body& body) const {
  std::int64_t begin = range.begin;
  for (const Weight& weight : weights_) {
    const Range inside = {.begin = std::max(begin, weight.range.begin),
                          .end = std::min(range.end, weight.range.end)};
    if (inside.begin < inside.end) {
      body(Range{.begin = begin, .end = inside.begin}, static_cast<const Weight*>(nullptr));
      body(inside, &weight);
      begin = inside.end;
    }
  }
  body(Range{.begin = begin, .end = range.end}, static_cast<const Weight*>(nullptr));
}

}  // namespace convoy::dist
