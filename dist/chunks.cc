#include "dist/chunks.h"

#include <algorithm>
#include <vector>

#include "dist/message_tags.h"

namespace convoy::dist {
namespace {

void wait_all(Communicator& communicator, std::vector<Transfer>& transfers) {
  for (Transfer& transfer : transfers) {
    communicator.wait(transfer);
  }
}

}  // namespace

void all_gather_chunks(Communicator& communicator, const Partition& partition,
                       std::span<float> values) {
  const int me = communicator.rank();
  // Messages of one sender keep their order, so one tag will do.
  std::vector<Transfer> transfers;
  for (int bucket = 0; bucket < partition.buckets(); ++bucket) {
    const auto bytes = [&](int rank) {
      return std::as_writable_bytes(part(values, partition.chunk(bucket, rank)));
    };
    for (int step = 1; step < communicator.size(); ++step) {
      // Each rank begins with another one, so that they don't all send to the same.
      const int rank = (me + step) % communicator.size();
      transfers.push_back(communicator.receive(bytes(rank), rank, kChunksTag));
      transfers.push_back(communicator.send(bytes(me), rank, kChunksTag));
    }
  }
  wait_all(communicator, transfers);
}

void gather_chunks(Communicator& communicator, const Partition& partition,
                   std::span<const float> own, std::span<float> all) {
  const int me = communicator.rank();
  std::vector<Transfer> transfers;
  for (int bucket = 0; bucket < partition.buckets(); ++bucket) {
    const auto mine = own.first(static_cast<std::size_t>(partition.chunk(bucket, me).size()));
    own = own.subspan(mine.size());
    if (me != 0) {
      transfers.push_back(communicator.send(std::as_bytes(mine), 0, kChunksTag));
      continue;
    }
    std::ranges::copy(mine, part(all, partition.chunk(bucket, 0)).begin());
    for (int rank = 1; rank < communicator.size(); ++rank) {
      transfers.push_back(communicator.receive(
          std::as_writable_bytes(part(all, partition.chunk(bucket, rank))), rank, kChunksTag));
    }
  }
  wait_all(communicator, transfers);
}

}  // namespace convoy::dist
