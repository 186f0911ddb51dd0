#include "dist/collectives.h"

#include <algorithm>
#include <cstring>

#include "core/tensor/pool_array.h"
#include "dist/message_tags.h"

namespace convoy::dist {
namespace {

// Rank r's parent in the binomial tree is r without its lowest bit; its children are r plus each
// lower power of two.
int lowest_bit(int rank, int size) {
  if (rank != 0) {
    return rank & -rank;
  }
  int bit = 1;
  while (bit < size) {
    bit *= 2;
  }
  return bit;
}

void send(Communicator& communicator, std::span<const std::byte> bytes, int to, int tag) {
  Transfer transfer = communicator.send(bytes, to, tag);
  communicator.wait(transfer);
}

void receive(Communicator& communicator, std::span<std::byte> bytes, int from, int tag) {
  Transfer transfer = communicator.receive(bytes, from, tag);
  communicator.wait(transfer);
}

double added(double a, double b) {
  return a + b;
}

std::int64_t added(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

template <typename Value>
void reduce_then_broadcast(Communicator& communicator, std::span<Value> values) {
  const int rank = communicator.rank();
  const int bit = lowest_bit(rank, communicator.size());
  PoolArray<Value> theirs(static_cast<std::int64_t>(values.size()));
  for (int child = 1; child < bit && rank + child < communicator.size(); child *= 2) {
    receive(communicator, std::as_writable_bytes(theirs.values()), rank + child, kReduceTag);
    std::ranges::transform(values, theirs.values(), values.begin(),
                           [](Value a, Value b) { return added(a, b); });
  }
  if (rank != 0) {
    send(communicator, std::as_bytes(values), rank - bit, kReduceTag);
  }
  broadcast(communicator, std::as_writable_bytes(values));
}

template <typename Value>
std::span<std::byte> bytes_of(Value& value) {
  return std::as_writable_bytes(std::span(&value, 1));
}

// Makes room for `length` bytes more. That length came from rank `from`, which if it runs another
// build may mean something else by it: hence checked before memory is taken.
void grow(std::vector<std::byte>& bytes, std::uint64_t length, const Communicator& communicator,
          int from) {
  check(length <= kMaxCollectiveBytes - bytes.size(),
        "{} announces {} bytes, beside {} of others; at most {} are taken", communicator.name(from),
        length, bytes.size(), kMaxCollectiveBytes);
  bytes.resize(bytes.size() + length);
}

// A rank's own bytes and those of the ranks below it in the tree, each after its length.
std::vector<std::byte> packed(std::span<const std::byte> mine) {
  const auto length = static_cast<std::uint64_t>(mine.size());
  std::vector<std::byte> bytes(sizeof length + mine.size());
  std::memcpy(bytes.data(), &length, sizeof length);
  std::ranges::copy(mine, bytes.begin() + sizeof length);
  return bytes;
}

}  // namespace

void broadcast(Communicator& communicator, std::span<std::byte> bytes) {
  const int rank = communicator.rank();
  const int bit = lowest_bit(rank, communicator.size());
  if (rank != 0) {
    receive(communicator, bytes, rank - bit, kBroadcastTag);
  }
  for (int child = bit / 2; child >= 1; child /= 2) {
    if (rank + child < communicator.size()) {
      send(communicator, bytes, rank + child, kBroadcastTag);
    }
  }
}

std::vector<std::byte> broadcast(Communicator& communicator, std::vector<std::byte> bytes) {
  auto length = static_cast<std::uint64_t>(bytes.size());
  broadcast(communicator, bytes_of(length));
  if (communicator.rank() != 0) {
    bytes.clear();
    grow(bytes, length, communicator, 0);
  }
  broadcast(communicator, std::span(bytes));
  return bytes;
}

void all_reduce_sum(Communicator& communicator, std::span<double> values) {
  reduce_then_broadcast(communicator, values);
}

void all_reduce_sum(Communicator& communicator, std::span<std::int64_t> values) {
  reduce_then_broadcast(communicator, values);
}

std::vector<std::vector<std::byte>> all_gather(Communicator& communicator,
                                               std::span<const std::byte> mine) {
  const int rank = communicator.rank();
  const int bit = lowest_bit(rank, communicator.size());
  // Below rank r are exactly the ranks r + 1 ... r + bit - 1, so appending keeps their order.
  std::vector<std::byte> bytes = packed(mine);
  for (int child = 1; child < bit && rank + child < communicator.size(); child *= 2) {
    std::uint64_t length = 0;
    receive(communicator, bytes_of(length), rank + child, kGatherTag);
    const std::size_t before = bytes.size();
    grow(bytes, length, communicator, rank + child);
    receive(communicator, std::span(bytes).subspan(before), rank + child, kGatherTag);
  }
  if (rank != 0) {
    auto length = static_cast<std::uint64_t>(bytes.size());
    send(communicator, bytes_of(length), rank - bit, kGatherTag);
    send(communicator, bytes, rank - bit, kGatherTag);
  }
  bytes = broadcast(communicator, std::move(bytes));

  std::vector<std::vector<std::byte>> parts;
  for (std::size_t at = 0; at < bytes.size();) {
    std::uint64_t length = 0;
    check(bytes.size() - at >= sizeof length, "the {} bytes that all ranks gathered end early",
          bytes.size());
    std::memcpy(&length, bytes.data() + at, sizeof length);
    check(length <= bytes.size() - at - sizeof length,
          "rank {} says it gives {} bytes, {} came of it and all after it", parts.size(), length,
          bytes.size() - at - sizeof length);
    const auto part = std::span(bytes).subspan(at + sizeof length, length);
    parts.emplace_back(part.begin(), part.end());
    at += sizeof length + length;
  }
  check(parts.size() == static_cast<std::size_t>(communicator.size()),
        "{} ranks gathered the bytes of {}", communicator.size(), parts.size());
  return parts;
}

void barrier(Communicator& communicator) {
  std::int64_t nothing = 0;
  all_reduce_sum(communicator, std::span(&nothing, 1));
}

}  // namespace convoy::dist
