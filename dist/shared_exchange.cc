#include "dist/shared_exchange.h"

#include <algorithm>

namespace convoy::dist {

SharedExchange::SharedExchange(const Parts& parts, SharedStore& shared)
    : BucketExchange(parts),
      shared_(shared),
      buckets_(static_cast<std::size_t>(parts.partition.buckets())),
      operands_(static_cast<std::size_t>(parts.tree.partials())) {}

void SharedExchange::begin() {
  ++steps_;
  // Nobody is waited for in a bucket that has not been started.
  std::ranges::fill(buckets_, Bucket{.taken = true, .peer = ranks()});
}

void SharedExchange::start_bucket(int index) {
  for (int rank = 0; rank < ranks(); ++rank) {
    const Range range = chunk(index, rank);
    if (rank == me()) {
      bytes_sent_ += range.size() * static_cast<std::int64_t>(sizeof(float)) * (ranks() - 1);
      continue;
    }
    for (std::size_t i = 0; i < partials_.size(); ++i) {
      bytes_sent_ += range.size() * static_cast<std::int64_t>(sizeof(float));
      const std::span<float> seen = shared_.partial(me(), static_cast<int>(i));
      if (seen.data() != partials_[i].data()) {
        std::ranges::copy(part(partials_[i], range), part(seen, range).begin());
      }
    }
  }
  BucketMarks& marks = shared_.marks(me(), index);
  marks.header = header(index);
  set_mark(marks.ready, steps_);
  buckets_[static_cast<std::size_t>(index)] = {};
}

BucketExchange::Progress SharedExchange::advance_bucket(int index) {
  Bucket& bucket = buckets_[static_cast<std::size_t>(index)];
  bool moved = false;
  for (; bucket.peer < ranks(); ++bucket.peer, moved = true) {
    BucketMarks& theirs = shared_.marks(bucket.peer, index);
    if (mark(bucket.taken ? theirs.taken : theirs.ready) < steps_) {
      return moved ? Progress::kSome : Progress::kNone;
    }
  }
  if (bucket.taken) {
    return Progress::kFinished;
  }
  take(index);
  bucket = {.taken = true, .peer = 0};
  return Progress::kSome;
}

void SharedExchange::take(int index) {
  const Range own = chunk(index, me());
  std::size_t operand = 0;
  for (int rank = 0; rank < ranks(); ++rank) {
    take_header(shared_.marks(rank, index).header, rank, index);
    for (std::size_t i = 0; i < parts_.tree.partials_of(rank).size(); ++i) {
      operands_[operand++] =
          (rank == me() ? partials_[i].data() : shared_.partial(rank, static_cast<int>(i)).data()) +
          own.begin;
    }
  }
  parts_.tree.add_up(operands_, part(sum_, own));
  set_mark(shared_.marks(me(), index).taken, steps_);
}

std::optional<Transfer> SharedExchange::awaited_transfer() const {
  const auto waiting =
      std::ranges::find_if(buckets_, [this](const Bucket& b) { return b.peer < ranks(); });
  return waiting == buckets_.end() ? std::nullopt
                                   : std::optional<Transfer>({.peer = waiting->peer});
}

}  // namespace convoy::dist
