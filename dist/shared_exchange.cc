#include "dist/shared_exchange.h"

#include <algorithm>

namespace convoy::dist {

SharedExchange::SharedExchange(const Parts& parts, SharedStore& shared)
    : BucketExchange(parts),
      shared_(shared),
      peers_(static_cast<std::size_t>(parts.partition.buckets())),
      operands_(static_cast<std::size_t>(parts.tree.partials())),
      own_operands_(operands_.size()) {}

void SharedExchange::begin() {
  ++steps_;
  shared_.factors().begin_step();
  // Nobody is waited for in a bucket that has not been started.
  std::ranges::fill(peers_, ranks());
}

std::span<float> SharedExchange::factor_memory(const Parameter& parameter) {
  return shared_.factors().memory(parameter);
}

template <typename Body>
void SharedExchange::for_parts(Range range, const Body& body) const {
  std::int64_t begin = range.begin;
  for (const SharedFactors::Weight& weight : shared_.factors().weights()) {
    const Range inside = {.begin = std::max(begin, weight.range.begin),
                          .end = std::min(range.end, weight.range.end)};
    if (inside.begin < inside.end) {
      body(Range{.begin = begin, .end = inside.begin}, nullptr);
      body(inside, &weight);
      begin = inside.end;
    }
  }
  body(Range{.begin = begin, .end = range.end}, nullptr);
}

// Others read the weights of this rank's chunk, and its gradient of theirs. Of factors each reads
// one whole, which is counted with the weight's first element, and some rows of the other.
void SharedExchange::count_bytes(int index) {
  const SharedFactors& factors = shared_.factors();
  std::int64_t floats = chunk(index, me()).size() * (ranks() - 1);
  for (int rank = 0; rank < ranks(); ++rank) {
    for_parts(rank == me() ? Range{} : chunk(index, rank),
              [&](Range range, const SharedFactors::Weight* weight) {
                floats += weight != nullptr && factors.mine(*weight).there()
                              ? range.size() / weight->out * factors.mine(*weight).images()
                              : range.size() * std::ssize(partials_);
              });
  }
  for (const SharedFactors::Weight& weight : factors.weights()) {
    const nn::LinearFactors& mine = factors.mine(weight);
    if (mine.there() && parts_.partition.bucket_of(weight.range.begin) == index) {
      floats += mine.images() * weight.out * (ranks() - 1);
    }
  }
  bytes_sent_ += floats * static_cast<std::int64_t>(sizeof(float));
}

void SharedExchange::start_bucket(int index) {
  count_bytes(index);
  for (int rank = 0; rank < ranks(); ++rank) {
    const Range range = chunk(index, rank);
    for (std::size_t i = 0; rank != me() && i < partials_.size(); ++i) {
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

std::chrono::nanoseconds SharedExchange::take_sum(int bucket) {
  std::chrono::nanoseconds multiplying{0};
  std::size_t operand = 0;
  for (int rank = 0; rank < ranks(); ++rank) {
    for (std::size_t i = 0; i < parts_.tree.partials_of(rank).size(); ++i) {
      operands_[operand++] =
          rank == me() ? partials_[i].data() : shared_.partial(rank, static_cast<int>(i)).data();
    }
  }
  for_parts(chunk(bucket, me()), [&](Range range, const SharedFactors::Weight* weight) {
    if (weight != nullptr && std::ranges::any_of(weight->factors, &nn::LinearFactors::there)) {
      const auto began = std::chrono::steady_clock::now();
      shared_.factors().add_up(*weight, range, operands_, part(sum_, range));
      multiplying += std::chrono::steady_clock::now() - began;
      return;
    }
    std::ranges::transform(operands_, own_operands_.begin(),
                           [&](const float* operand) { return operand + range.begin; });
    parts_.tree.add_up(own_operands_, part(sum_, range));
  });
  return multiplying;
}

std::optional<Transfer> SharedExchange::awaited_transfer() const {
  const auto waiting = std::ranges::find_if(peers_, [this](int peer) { return peer < ranks(); });
  return waiting == peers_.end() ? std::nullopt : std::optional<Transfer>({.peer = *waiting});
}

}  // namespace convoy::dist
