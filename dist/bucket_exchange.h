// One bucket of the gradient on its way through all ranks, and many at once: the messages, not the
// moments (those are dist/gradient_reducer.h's).
//
// Direct exchange in two phases. First every rank sends each other rank that one's chunk of its
// partial sums, so that a rank holds all parts of its own chunk and adds them up, along the tree.
// Then it sends the sum to all. A rank sends 2 (ranks - 1) / ranks times the bucket's bytes, the
// least there is, and a sum's order depends on neither bucket size nor arrival.
//
// Before its data every message of the first phase has a header with the step, the bucket and the
// sender's report, by which drifted ranks are found at once.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/tensor/tensor.h"
#include "dist/communicator.h"
#include "dist/partition.h"
#include "dist/shard_tree.h"
#include "dist/step_report.h"

namespace convoy::dist {

struct ExchangeOptions {
  bool bf16 = false;
  bool keep_own = false;  ///< leave out the second phase
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

  BucketExchange(const Parts& parts, ExchangeOptions options);

  /// `partials`: this rank's partial sums, in the tree's order, each of all elements. `sum`: where
  /// the sum goes, of all elements; may be one of them. Both stay until the step is over.
  void begin_step(std::int64_t step, const StepReport& report,
                  std::span<const std::span<const float>> partials, std::span<float> sum);

  void start(int bucket);
  /// Moves all started buckets on; returns whether any message arrived.
  bool advance();
  int started() const { return started_; }
  int finished() const { return finished_; }
  /// Throws Error, naming a rank that does not answer. REQUIRES: a bucket is on its way.
  [[noreturn]] void fail_late() const;

  /// All ranks' reports, by rank; until the next step. REQUIRES: all buckets are finished.
  std::span<const StepReport> reports();
  /// The rank that `fail_late` would name; -1 if no bucket is on its way.
  int awaited() const;
  /// Of this step, by this rank.
  std::int64_t bytes_sent() const { return bytes_sent_; }

 private:
  struct Header {
    std::uint64_t magic = 0;
    std::int64_t step = 0;
    std::int32_t bucket = 0;
    std::int32_t buckets = 0;
    StepReport report = {};
  };
  enum class Phase { kIdle, kSum, kShare, kDone };
  struct Bucket {
    Phase phase = Phase::kIdle;
    std::vector<Transfer> transfers;  // not yet done
    std::vector<Header> headers;      // by rank
    std::int64_t staged = 0;          // where its part of the staging area begins
  };

  std::int64_t staged(int index, int partial) const;
  void send(Bucket& bucket, std::span<const std::byte> bytes, int to, int tag);
  void receive(Bucket& bucket, std::span<std::byte> bytes, int from, int tag);
  void check_headers(int index) const;
  void add_up(int index);
  void share(int index);
  void encode(std::span<const float> values, Range range);
  void encode_outgoing(int index);
  void encode_sum(int index);
  void decode_shared(int index);
  bool transfers_done(Bucket& bucket);
  const Transfer* awaited_transfer() const;

  Parts parts_;
  ExchangeOptions options_;
  std::vector<Bucket> buckets_;
  std::int64_t step_ = 0;
  std::vector<std::span<const float>> partials_;
  std::span<float> sum_;
  std::vector<Header> outgoing_headers_;  // by bucket
  std::vector<StepReport> reports_;       // by rank
  int started_ = 0;
  int finished_ = 0;
  std::int64_t bytes_sent_ = 0;
  Tensor staging_;                       // what other ranks send of the chunks that are ours
  Tensor residual_;                      // bf16: what rounding left over, per element
  std::vector<std::uint16_t> encoded_;   // bf16: what we send
  std::vector<std::uint16_t> received_;  // bf16: what we receive
  std::vector<const float*> operands_;
};

}  // namespace convoy::dist
