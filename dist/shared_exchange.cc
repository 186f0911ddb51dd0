#include "dist/shared_exchange.h"

#include <algorithm>

namespace convoy::dist {

SharedExchange::SharedExchange(const Parts& parts, SharedStore& shared)
    : BucketExchange(parts),
      shared_(shared),
      peers_(static_cast<std::size_t>(parts.partition.buckets())),
      operands_(static_cast<std::size_t>(parts.tree.partials())) {}

void SharedExchange::begin() {
  ++steps_;
  // Nobody is waited for in a bucket that has not been started.
  std::ranges::fill(peers_, ranks());
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
  peers_[static_cast<std::size_t>(index)] = 0;
}

BucketExchange::Progress SharedExchange::advance_bucket(int index) {
  int& peer = peers_[static_cast<std::size_t>(index)];
  bool moved = false;
  for (; peer < ranks(); ++peer, moved = true) {
    BucketMarks& marks = shared_.marks(peer, index);
    if (mark(marks.ready) < steps_) {
      return moved ? Progress::kSome : Progress::kNone;
    }
    take_header(marks.header, peer, index);
  }
  return Progress::kFinished;
}

void SharedExchange::take_sum(int bucket) {
  const Range own = chunk(bucket, me());
  std::size_t operand = 0;
  for (int rank = 0; rank < ranks(); ++rank) {
    for (std::size_t i = 0; i < parts_.tree.partials_of(rank).size(); ++i) {
      operands_[operand++] =
          (rank == me() ? partials_[i].data() : shared_.partial(rank, static_cast<int>(i)).data()) +
          own.begin;
    }
  }
  parts_.tree.add_up(operands_, part(sum_, own));
}

std::optional<Transfer> SharedExchange::awaited_transfer() const {
  const auto waiting = std::ranges::find_if(peers_, [this](int peer) { return peer < ranks(); });
  return waiting == peers_.end() ? std::nullopt : std::optional<Transfer>({.peer = *waiting});
}

}  // namespace convoy::dist
