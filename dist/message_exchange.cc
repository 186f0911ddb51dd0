#include "dist/message_exchange.h"

#include <algorithm>

#include "core/base/check.h"
#include "dist/bfloat16.h"
#include "dist/message_tags.h"

namespace convoy::dist {
namespace {

int sum_tag(int bucket) {
  return kFirstBucketTag + 2 * bucket;
}

int share_tag(int bucket) {
  return kFirstBucketTag + 2 * bucket + 1;
}

}  // namespace

MessageExchange::MessageExchange(const Parts& parts, Options options)
    : BucketExchange(parts),
      options_(options),
      buckets_(static_cast<std::size_t>(parts.partition.buckets())),
      operands_(static_cast<std::size_t>(parts.tree.partials())) {
  const int rank = me();
  const auto own_partials = static_cast<std::int64_t>(parts.tree.partials_of(rank).size());
  check(!options.bf16 || parts.tree.shards() == ranks(),
        "bf16 gradients are rounded once per rank, so they cannot be reproducible for any number "
        "of ranks. Leave out --bf16-gradients or --reproducible.");
  const std::int64_t foreign =
      parts.partition.owned_elements(rank) * (parts.tree.partials() - own_partials);
  staging_ = Tensor({foreign});
  if (options.bf16) {
    residual_ = Tensor::zeros({parts.partition.elements()});
    encoded_.resize(static_cast<std::size_t>(parts.partition.elements()));
    received_.resize(static_cast<std::size_t>(foreign));
  }
  const auto count = static_cast<std::size_t>(ranks());
  std::int64_t staged = 0;
  for (int index = 0; index < parts.partition.buckets(); ++index) {
    Bucket& bucket = buckets_[static_cast<std::size_t>(index)];
    bucket.headers.resize(count);
    bucket.transfers.reserve(4 * count * static_cast<std::size_t>(own_partials + 1));
    bucket.staged = staged;
    staged += chunk(index, rank).size() * (parts.tree.partials() - own_partials);
  }
}

void MessageExchange::begin() {
  for (int index = 0; index < parts_.partition.buckets(); ++index) {
    buckets_[static_cast<std::size_t>(index)].outgoing = header(index);
  }
}

void MessageExchange::send(Bucket& bucket, std::span<const std::byte> bytes, int to, int tag) {
  bucket.transfers.push_back(parts_.communicator.send(bytes, to, tag));
  bytes_sent_ += static_cast<std::int64_t>(bytes.size());
}

void MessageExchange::receive(Bucket& bucket, std::span<std::byte> bytes, int from, int tag) {
  bucket.transfers.push_back(parts_.communicator.receive(bytes, from, tag));
}

// Where the partial sums that other ranks have of our chunk lie: `partial` counts them all, from
// left to right.
std::int64_t MessageExchange::staged(int index, int partial) const {
  return buckets_[static_cast<std::size_t>(index)].staged + partial * chunk(index, me()).size();
}

void MessageExchange::start_bucket(int index) {
  Bucket& bucket = buckets_[static_cast<std::size_t>(index)];
  const Range own = chunk(index, me());
  if (options_.bf16) {
    encode_outgoing(index);
  }
  for (int rank = 0, partial = 0; rank < ranks(); ++rank) {
    if (rank == me()) {
      continue;
    }
    receive(bucket,
            std::as_writable_bytes(std::span(&bucket.headers[static_cast<std::size_t>(rank)], 1)),
            rank, sum_tag(index));
    for (std::size_t i = 0; i < parts_.tree.partials_of(rank).size(); ++i, ++partial) {
      const Range range = {.begin = staged(index, partial),
                           .end = staged(index, partial) + own.size()};
      receive(bucket,
              options_.bf16 ? std::as_writable_bytes(part(std::span(received_), range))
                            : std::as_writable_bytes(part(staging_.values(), range)),
              rank, sum_tag(index));
    }
  }
  bucket.headers[static_cast<std::size_t>(me())] = bucket.outgoing;
  for (int step = 1; step < ranks(); ++step) {
    // Each rank begins with another one, so that they don't all send to the same.
    const int rank = (me() + step) % ranks();
    const Range theirs = chunk(index, rank);
    send(bucket, std::as_bytes(std::span(&bucket.outgoing, 1)), rank, sum_tag(index));
    for (const std::span<const float> partial : partials_) {
      send(bucket,
           options_.bf16 ? std::as_bytes(part(std::span<const std::uint16_t>(encoded_), theirs))
                         : std::as_bytes(part(partial, theirs)),
           rank, sum_tag(index));
    }
  }
  bucket.sharing = false;
}

bool MessageExchange::transfers_done(Bucket& bucket) {
  std::erase_if(bucket.transfers,
                [this](Transfer& transfer) { return parts_.communicator.done(transfer); });
  return bucket.transfers.empty();
}

BucketExchange::Progress MessageExchange::advance_bucket(int index) {
  Bucket& bucket = buckets_[static_cast<std::size_t>(index)];
  const std::size_t before = bucket.transfers.size();
  if (!transfers_done(bucket)) {
    return bucket.transfers.size() != before ? Progress::kSome : Progress::kNone;
  }
  if (!bucket.sharing) {
    for (int rank = 0; rank < ranks(); ++rank) {
      take_header(bucket.headers[static_cast<std::size_t>(rank)], rank, index);
    }
    add_up(index);
    if (options_.keep_own) {
      return Progress::kFinished;
    }
    share(index);
    return Progress::kSome;
  }
  decode_shared(index);
  return Progress::kFinished;
}

void MessageExchange::add_up(int index) {
  const Range own = chunk(index, me());
  std::size_t operand = 0;
  for (int rank = 0, partial = 0; rank < ranks(); ++rank) {
    for (std::size_t i = 0; i < parts_.tree.partials_of(rank).size(); ++i) {
      if (rank == me()) {
        operands_[operand++] = partials_[i].data() + own.begin;
        continue;
      }
      const std::int64_t begin = staged(index, partial++);
      if (options_.bf16) {
        std::transform(received_.begin() + begin, received_.begin() + begin + own.size(),
                       staging_.data() + begin, from_bfloat16);
      }
      operands_[operand++] = staging_.data() + begin;
    }
  }
  parts_.tree.add_up(operands_, part(sum_, own));
}

void MessageExchange::share(int index) {
  Bucket& bucket = buckets_[static_cast<std::size_t>(index)];
  if (options_.bf16) {
    encode_sum(index);
  }
  const auto bytes = [&](int rank) {
    const Range range = chunk(index, rank);
    return options_.bf16 ? std::as_writable_bytes(part(std::span(encoded_), range))
                         : std::as_writable_bytes(part(sum_, range));
  };
  for (int step = 1; step < ranks(); ++step) {
    const int rank = (me() + step) % ranks();
    receive(bucket, bytes(rank), rank, share_tag(index));
    send(bucket, bytes(me()), rank, share_tag(index));
  }
  bucket.sharing = true;
}

// Rounds what goes to others, and keeps what that took for the next step (Seide et al., "1-Bit
// Stochastic Gradient Descent", Interspeech 2014, called it error feedback).
void MessageExchange::encode(std::span<const float> values, Range range) {
  for (std::int64_t i = range.begin; i < range.end; ++i) {
    const float wanted = values[static_cast<std::size_t>(i)] + residual_.data()[i];
    const std::uint16_t sent = to_bfloat16(wanted);
    encoded_[static_cast<std::size_t>(i)] = sent;
    residual_.data()[i] = wanted - from_bfloat16(sent);
  }
}

void MessageExchange::encode_outgoing(int index) {
  for (int rank = 0; rank < ranks(); ++rank) {
    if (rank != me()) {
      encode(partials_.front(), chunk(index, rank));
    }
  }
}

// The owner uses the rounded sum too, as all others do.
void MessageExchange::encode_sum(int index) {
  const Range own = chunk(index, me());
  encode(sum_, own);
}

void MessageExchange::decode_shared(int index) {
  if (options_.bf16) {
    const Range range = parts_.partition.bucket(index);
    std::transform(encoded_.begin() + range.begin, encoded_.begin() + range.end,
                   sum_.data() + range.begin, from_bfloat16);
  }
}

// The one that says nothing rather than the one that does not listen: that is its effect.
std::optional<Transfer> MessageExchange::awaited_transfer() const {
  std::optional<Transfer> any;
  for (const Bucket& bucket : buckets_) {
    for (const Transfer& transfer : bucket.transfers) {
      if (!transfer.sending) {
        return transfer;
      }
      any = any ? any : transfer;
    }
  }
  return any;
}

}  // namespace convoy::dist
