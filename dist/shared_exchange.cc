#include "dist/shared_exchange.h"

#include <algorithm>

namespace convoy::dist {

using Weight = FactoredGradients::Weight;

SharedExchange::SharedExchange(const Parts& parts, SharedStore& shared,
                               const FactoredGradients* factored)
    : BucketExchange(parts),
      shared_(shared),
      factored_(factored),
      peers_(static_cast<std::size_t>(parts.partition.buckets())),
      operands_(static_cast<std::size_t>(parts.tree.partials())),
      own_operands_(operands_.size()) {}

void SharedExchange::begin() {
  ++steps_;
  // Nobody is waited for in a bucket that has not been started.
  std::ranges::fill(peers_, ranks());
}

template <typename Body>
void SharedExchange::for_parts(Range range, const Body& body) const {
  if (factored_ == nullptr) {
    body(range, static_cast<const Weight*>(nullptr));
  } else {
    factored_->for_parts(range, body);
  }
}

template <typename Body>
void SharedExchange::for_parts_of_others(int bucket, const Body& body) const {
  for (int rank = 0; rank < ranks(); ++rank) {
    if (rank != me()) {
      for_parts(chunk(bucket, rank), body);
    }
  }
}

bool SharedExchange::is_factored(const Weight* weight, std::size_t partial) const {
  return weight != nullptr && FactoredGradients::there(*weight, mine(partial));
}

std::size_t SharedExchange::mine(std::size_t partial) const {
  return factored_->first_partial(me()) + partial;
}

// Others read the weights of this rank's chunk, and its gradient of theirs. Of factors each reads
// one whole, which is counted with the weight's first element, and some rows of the other.
void SharedExchange::count_bytes(int index) {
  std::int64_t floats = chunk(index, me()).size() * (ranks() - 1);
  for (std::size_t i = 0; i < partials_.size(); ++i) {
    for_parts_of_others(index, [&](Range range, const Weight* weight) {
      floats += is_factored(weight, i)
                    ? range.size() / weight->out * FactoredGradients::images(*weight, mine(i))
                    : range.size();
    });
    for_parts(parts_.partition.bucket(index), [&](Range range, const Weight* weight) {
      if (is_factored(weight, i) && range.begin == weight->range.begin) {
        floats += FactoredGradients::images(*weight, mine(i)) * weight->out * (ranks() - 1);
      }
    });
  }
  bytes_sent_ += floats * static_cast<std::int64_t>(sizeof(float));
}

void SharedExchange::start_bucket(int index) {
  count_bytes(index);
  for (std::size_t i = 0; i < partials_.size(); ++i) {
    const std::span<float> seen = shared_.partial(me(), static_cast<int>(i));
    if (seen.data() != partials_[i].data()) {
      for_parts_of_others(index, [&](Range range, const Weight* weight) {
        if (!is_factored(weight, i)) {
          std::ranges::copy(part(partials_[i], range), part(seen, range).begin());
        }
      });
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
  for_parts(chunk(bucket, me()), [&](Range range, const Weight* weight) {
    std::ranges::transform(operands_, own_operands_.begin(),
                           [&](const float* operand) { return operand + range.begin; });
    if (weight == nullptr || !FactoredGradients::any_there(*weight)) {
      parts_.tree.add_up(own_operands_, part(sum_, range));
      return;
    }
    const auto began = std::chrono::steady_clock::now();
    factored_->add_up(*weight, range, own_operands_, part(sum_, range));
    multiplying += std::chrono::steady_clock::now() - began;
  });
  return multiplying;
}

std::optional<Transfer> SharedExchange::awaited_transfer() const {
  const auto waiting = std::ranges::find_if(peers_, [this](int peer) { return peer < ranks(); });
  return waiting == peers_.end() ? std::nullopt : std::optional<Transfer>({.peer = *waiting});
}

}  // namespace convoy::dist
