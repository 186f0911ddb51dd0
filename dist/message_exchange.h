// Buckets of the gradient by messages, between any ranks.
//
// Direct exchange in two phases. First every rank sends each other rank that one's chunk of its
// partial sums, so that a rank holds all parts of its own chunk and adds them up, along the tree.
// Then it sends the sum to all. A rank sends 2 (ranks - 1) / ranks times the bucket's bytes, the
// least there is, and a sum's order depends on neither bucket size nor arrival.
//
// Before its data every message of the first phase has a header.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/tensor/tensor.h"
#include "dist/bucket_exchange.h"

namespace convoy::dist {

class MessageExchange : public BucketExchange {
 public:
  struct Options {
    bool bf16 = false;
    bool keep_own = false;  ///< leave out the second phase
  };

  MessageExchange(const Parts& parts, Options options);

  // Adding up and sharing it finished the bucket.
  std::chrono::nanoseconds take_sum(int /*bucket*/) override { return {}; }

 private:
  struct Bucket {
    bool sharing = false;             // in the second phase
    std::vector<Transfer> transfers;  // not yet done
    BucketHeader outgoing;
    std::vector<BucketHeader> headers;  // by rank
    std::int64_t staged = 0;            // where its part of the staging area begins
  };

  void begin() override;
  void start_bucket(int index) override;
  Progress advance_bucket(int index) override;
  std::optional<Transfer> awaited_transfer() const override;

  std::int64_t staged(int index, int partial) const;
  void send(Bucket& bucket, std::span<const std::byte> bytes, int to, int tag);
  void receive(Bucket& bucket, std::span<std::byte> bytes, int from, int tag);
  void add_up(int index);
  void share(int index);
  void encode(std::span<const float> values, Range range);
  void encode_outgoing(int index);
  void encode_sum(int index);
  void decode_shared(int index);
  bool transfers_done(Bucket& bucket);

  Options options_;
  std::vector<Bucket> buckets_;
  Tensor staging_;                       // what other ranks send of the chunks that are ours
  Tensor residual_;                      // bf16: what rounding left over, per element
  std::vector<std::uint16_t> encoded_;   // bf16: what we send
  std::vector<std::uint16_t> received_;  // bf16: what we receive
  std::vector<const float*> operands_;
};

}  // namespace convoy::dist
