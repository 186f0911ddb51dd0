#include "dist/bucket_exchange.h"

#include <algorithm>

#include "core/base/check.h"
#include "dist/bfloat16.h"
#include "dist/message_tags.h"

namespace convoy::dist {
namespace {

constexpr std::uint64_t kMagic = 0x31594F564E4F43;  // "CONVOY1"

int sum_tag(int bucket) {
  return kFirstBucketTag + 2 * bucket;
}

int share_tag(int bucket) {
  return kFirstBucketTag + 2 * bucket + 1;
}

}  // namespace

BucketExchange::BucketExchange(const Parts& parts, ExchangeOptions options)
    : parts_(parts),
      options_(options),
      buckets_(static_cast<std::size_t>(parts.partition.buckets())),
      outgoing_headers_(buckets_.size()),
      reports_(static_cast<std::size_t>(parts.communicator.size())),
      operands_(static_cast<std::size_t>(parts.tree.partials())) {
  const int rank = parts.communicator.rank();
  const auto ranks = static_cast<std::size_t>(parts.communicator.size());
  const auto own_partials = static_cast<std::int64_t>(parts.tree.partials_of(rank).size());
  check(!options.bf16 || parts.tree.shards() == parts.communicator.size(),
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
  std::int64_t staged = 0;
  for (int index = 0; index < parts.partition.buckets(); ++index) {
    Bucket& bucket = buckets_[static_cast<std::size_t>(index)];
    bucket.headers.resize(ranks);
    bucket.transfers.reserve(4 * ranks * static_cast<std::size_t>(own_partials + 1));
    bucket.staged = staged;
    staged += parts.partition.chunk(index, rank).size() * (parts.tree.partials() - own_partials);
  }
}

void BucketExchange::begin_step(std::int64_t step, const StepReport& report,
                                std::span<const std::span<const float>> partials,
                                std::span<float> sum) {
  step_ = step;
  partials_.assign(partials.begin(), partials.end());
  sum_ = sum;
  started_ = 0;
  finished_ = 0;
  bytes_sent_ = 0;
  for (int index = 0; index < parts_.partition.buckets(); ++index) {
    buckets_[static_cast<std::size_t>(index)].phase = Phase::kIdle;
    outgoing_headers_[static_cast<std::size_t>(index)] = {.magic = kMagic,
                                                          .step = step,
                                                          .bucket = index,
                                                          .buckets = parts_.partition.buckets(),
                                                          .report = report};
  }
}

void BucketExchange::send(Bucket& bucket, std::span<const std::byte> bytes, int to, int tag) {
  bucket.transfers.push_back(parts_.communicator.send(bytes, to, tag));
  bytes_sent_ += static_cast<std::int64_t>(bytes.size());
}

void BucketExchange::receive(Bucket& bucket, std::span<std::byte> bytes, int from, int tag) {
  bucket.transfers.push_back(parts_.communicator.receive(bytes, from, tag));
}

// Where the partial sums that other ranks have of our chunk lie: `partial` counts them all, from
// left to right.
std::int64_t BucketExchange::staged(int index, int partial) const {
  return buckets_[static_cast<std::size_t>(index)].staged +
         partial * parts_.partition.chunk(index, parts_.communicator.rank()).size();
}

void BucketExchange::start(int index) {
  Bucket& bucket = buckets_[static_cast<std::size_t>(index)];
  const int me = parts_.communicator.rank();
  const Range own = parts_.partition.chunk(index, me);
  if (options_.bf16) {
    encode_outgoing(index);
  }
  for (int rank = 0, partial = 0; rank < parts_.communicator.size(); ++rank) {
    if (rank == me) {
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
  Header& header = outgoing_headers_[static_cast<std::size_t>(index)];
  bucket.headers[static_cast<std::size_t>(me)] = header;
  for (int step = 1; step < parts_.communicator.size(); ++step) {
    // Each rank begins with another one, so that they don't all send to the same.
    const int rank = (me + step) % parts_.communicator.size();
    const Range theirs = parts_.partition.chunk(index, rank);
    send(bucket, std::as_bytes(std::span(&header, 1)), rank, sum_tag(index));
    for (const std::span<const float> partial : partials_) {
      send(bucket,
           options_.bf16 ? std::as_bytes(part(std::span<const std::uint16_t>(encoded_), theirs))
                         : std::as_bytes(part(partial, theirs)),
           rank, sum_tag(index));
    }
  }
  bucket.phase = Phase::kSum;
  ++started_;
}

bool BucketExchange::transfers_done(Bucket& bucket) {
  std::erase_if(bucket.transfers,
                [this](Transfer& transfer) { return parts_.communicator.done(transfer); });
  return bucket.transfers.empty();
}

bool BucketExchange::advance() {
  bool moved = false;
  for (int index = 0; index < parts_.partition.buckets(); ++index) {
    Bucket& bucket = buckets_[static_cast<std::size_t>(index)];
    if (bucket.phase != Phase::kSum && bucket.phase != Phase::kShare) {
      continue;
    }
    const std::size_t before = bucket.transfers.size();
    const bool done = transfers_done(bucket);
    moved = moved || bucket.transfers.size() != before;
    if (done && bucket.phase == Phase::kSum) {
      check_headers(index);
      add_up(index);
      share(index);
      moved = true;
    } else if (done) {
      decode_shared(index);
      bucket.phase = Phase::kDone;
    }
    finished_ += bucket.phase == Phase::kDone ? 1 : 0;
  }
  return moved;
}

void BucketExchange::check_headers(int index) const {
  const Bucket& bucket = buckets_[static_cast<std::size_t>(index)];
  for (int rank = 0; rank < parts_.communicator.size(); ++rank) {
    const Header& header = bucket.headers[static_cast<std::size_t>(rank)];
    check(header.magic == kMagic && header.step == step_ && header.bucket == index &&
              header.buckets == parts_.partition.buckets(),
          "the ranks have drifted apart: {} is at step {}, bucket {} of {}, but {} sends step {}, "
          "bucket {} of {}.\nThey run different programs or options, or this is a fault of convoy.",
          parts_.communicator.name(parts_.communicator.rank()), step_, index,
          parts_.partition.buckets(), parts_.communicator.name(rank), header.step, header.bucket,
          header.buckets);
  }
}

void BucketExchange::add_up(int index) {
  const int me = parts_.communicator.rank();
  const Range own = parts_.partition.chunk(index, me);
  std::size_t operand = 0;
  for (int rank = 0, partial = 0; rank < parts_.communicator.size(); ++rank) {
    for (std::size_t i = 0; i < parts_.tree.partials_of(rank).size(); ++i) {
      if (rank == me) {
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

void BucketExchange::share(int index) {
  Bucket& bucket = buckets_[static_cast<std::size_t>(index)];
  const int me = parts_.communicator.rank();
  if (options_.keep_own || parts_.communicator.size() == 1) {
    bucket.phase = Phase::kDone;
    return;
  }
  if (options_.bf16) {
    encode_sum(index);
  }
  const auto bytes = [&](int rank) {
    const Range range = parts_.partition.chunk(index, rank);
    return options_.bf16 ? std::as_writable_bytes(part(std::span(encoded_), range))
                         : std::as_writable_bytes(part(sum_, range));
  };
  for (int step = 1; step < parts_.communicator.size(); ++step) {
    const int rank = (me + step) % parts_.communicator.size();
    receive(bucket, bytes(rank), rank, share_tag(index));
    send(bucket, bytes(me), rank, share_tag(index));
  }
  bucket.phase = Phase::kShare;
}

// Rounds what goes to others, and keeps what that took for the next step (Seide et al., "1-Bit
// Stochastic Gradient Descent", Interspeech 2014, called it error feedback).
void BucketExchange::encode(std::span<const float> values, Range range) {
  for (std::int64_t i = range.begin; i < range.end; ++i) {
    const float wanted = values[static_cast<std::size_t>(i)] + residual_.data()[i];
    const std::uint16_t sent = to_bfloat16(wanted);
    encoded_[static_cast<std::size_t>(i)] = sent;
    residual_.data()[i] = wanted - from_bfloat16(sent);
  }
}

void BucketExchange::encode_outgoing(int index) {
  for (int rank = 0; rank < parts_.communicator.size(); ++rank) {
    if (rank != parts_.communicator.rank()) {
      encode(partials_.front(), parts_.partition.chunk(index, rank));
    }
  }
}

// The owner uses the rounded sum too, as all others do.
void BucketExchange::encode_sum(int index) {
  const Range own = parts_.partition.chunk(index, parts_.communicator.rank());
  encode(sum_, own);
}

void BucketExchange::decode_shared(int index) {
  if (options_.bf16) {
    const Range range = parts_.partition.bucket(index);
    std::transform(encoded_.begin() + range.begin, encoded_.begin() + range.end,
                   sum_.data() + range.begin, from_bfloat16);
  }
}

// The one that says nothing rather than the one that does not listen: that is its effect.
const Transfer* BucketExchange::awaited_transfer() const {
  const Transfer* any = nullptr;
  for (const Bucket& bucket : buckets_) {
    for (const Transfer& transfer : bucket.transfers) {
      if (!transfer.sending) {
        return &transfer;
      }
      any = any == nullptr ? &transfer : any;
    }
  }
  return any;
}

int BucketExchange::awaited() const {
  const Transfer* transfer = awaited_transfer();
  return transfer == nullptr ? -1 : transfer->peer;
}

void BucketExchange::fail_late() const {
  if (const Transfer* transfer = awaited_transfer(); transfer != nullptr) {
    parts_.communicator.fail_late(*transfer);
  }
  fail("a bucket of step {} does not end; please report this", step_);
}

std::span<const StepReport> BucketExchange::reports() {
  std::ranges::transform(buckets_.front().headers, reports_.begin(), &Header::report);
  return reports_;
}

}  // namespace convoy::dist
