// One bucket of the gradient on its way through all ranks, and many at once: how it goes, not when
// (that is dist/gradient_reducer.h's).
//
// In both ways there are every rank adds up its own chunk of a bucket, along the tree, from the
// partial sums of all. They come by messages (dist/message_exchange.h), or are read where they lie
// if ranks share memory (dist/shared_exchange.h).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/autograd/parameter.h"
#include "dist/communicator.h"
#include "dist/partition.h"
#include "dist/shard_tree.h"
#include "dist/step_report.h"

namespace convoy::dist {

/// What a rank says of its part of a bucket, by which drifted ranks are found at once.
struct BucketHeader {
  std::uint64_t magic = 0;
  std::int64_t step = 0;
  std::int32_t bucket = 0;
  std::int32_t buckets = 0;
  StepReport report = {};
};

/// All ranks start the same buckets in the same order. Not thread safe.
class BucketExchange {
 public:
  /// All must outlive this.
  struct Parts {
    Communicator& communicator;
    const Partition& partition;
    const ShardTree& tree;
  };

  explicit BucketExchange(const Parts& parts);
  virtual ~BucketExchange() = default;
  BucketExchange(const BucketExchange&) = delete;
  BucketExchange& operator=(const BucketExchange&) = delete;

  /// `partials`: this rank's partial sums, in the tree's order, each of all elements. `sum`: where
  /// the sum goes, of all elements; may be one of them. Both stay until the step is over.
  void begin_step(std::int64_t step, const StepReport& report,
                  std::span<const std::span<const float>> partials, std::span<float> sum);

  void start(int bucket);
  /// Moves all started buckets on; returns whether anything came from another rank.
  bool advance();
  int started() const { return started_; }
  int finished() const { return finished_; }
  bool finished(int bucket) const {
    return phases_[static_cast<std::size_t>(bucket)] == Phase::kFinished;
  }
  /// Writes the sum of a finished bucket, once a step: all of it, or this rank's chunk. Returns how
  /// long it made gradients from their factors meanwhile, which is no communication.
  virtual std::chrono::nanoseconds take_sum(int bucket) = 0;
  /// Throws Error, naming a rank that does not answer. REQUIRES: a bucket is on its way.
  [[noreturn]] void fail_late() const;

  /// All ranks' reports, by rank; until the next step. REQUIRES: a bucket is finished.
  std::span<const StepReport> reports() const { return reports_; }
  /// The rank that `fail_late` would name; -1 if no bucket is on its way.
  int awaited() const;
  /// What other ranks got from this one in this step.
  std::int64_t bytes_sent() const { return bytes_sent_; }

 protected:
  enum class Progress { kNone, kSome, kFinished };

  virtual void begin() = 0;
  virtual void start_bucket(int index) = 0;
  /// Of a bucket that is started and not finished.
  virtual Progress advance_bucket(int index) = 0;
  /// What a bucket waits for.
  virtual std::optional<Transfer> awaited_transfer() const = 0;

  BucketHeader header(int index) const;
  /// Notes the sender's report. Throws Error if it has drifted.
  void take_header(const BucketHeader& header, int rank, int index);
  int me() const { return parts_.communicator.rank(); }
  int ranks() const { return parts_.communicator.size(); }
  Range chunk(int index, int rank) const { return parts_.partition.chunk(index, rank); }

  Parts parts_;
  std::vector<std::span<const float>> partials_;
  std::span<float> sum_;
  std::int64_t bytes_sent_ = 0;

 private:
  enum class Phase { kIdle, kStarted, kFinished };

  std::int64_t step_ = 0;
  StepReport report_;                // this rank's
  std::vector<StepReport> reports_;  // by rank
  std::vector<Phase> phases_;        // by bucket
  int started_ = 0;
  int finished_ = 0;
};

}  // namespace convoy::dist
