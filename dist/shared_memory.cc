#include "dist/shared_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>

#include "core/base/file_descriptor.h"
#include "dist/collectives.h"

namespace convoy::dist {
namespace {

using Block = std::shared_ptr<std::byte[]>;

// What a rank tells the others about its memory. Only within one kernel and one namespace of
// processes does a process's number mean the same to all.
struct Offer {
  std::array<char, 64> kernel = {};
  std::uint64_t processes = 0;
  std::int64_t process = 0;
  std::int64_t descriptor = -1;
  std::uint64_t bytes = 0;
};

Offer make_offer(int descriptor, std::size_t bytes) {
  Offer offer{.process = getpid(), .descriptor = descriptor, .bytes = bytes};
  std::ifstream("/proc/sys/kernel/random/boot_id").read(offer.kernel.data(), 36);
  struct stat processes = {};
  if (stat("/proc/self/ns/pid", &processes) == 0) {
    offer.processes = processes.st_ino;
  }
  return offer;
}

std::vector<Offer> offers_of_all(Communicator& communicator, const Offer& mine) {
  std::vector<Offer> offers;
  for (const auto& bytes : all_gather(communicator, std::as_bytes(std::span(&mine, 1)))) {
    const int rank = static_cast<int>(offers.size());
    check(bytes.size() == sizeof(Offer), "{} is another convoy: it cannot share memory",
          communicator.name(rank));
    std::memcpy(&offers.emplace_back(), bytes.data(), sizeof(Offer));
    check(offers.back().bytes == mine.bytes, "{} wants to share {} bytes, {} wants {}",
          communicator.name(rank), offers.back().bytes, communicator.name(communicator.rank()),
          mine.bytes);
  }
  return offers;
}

bool one_host(const Communicator& communicator, const std::vector<Offer>& offers) {
  for (int rank = 0; rank < communicator.size(); ++rank) {
    const Offer& offer = offers[static_cast<std::size_t>(rank)];
    if (communicator.host(rank) != communicator.host(0) || offer.kernel != offers[0].kernel ||
        offer.kernel[0] == '\0' || offer.processes != offers[0].processes || offer.processes == 0 ||
        offer.descriptor < 0) {
      return false;
    }
  }
  return true;
}

// nullptr if it cannot be mapped.
Block map_block(const Offer& offer) {
  const std::string name = fmt::format("/proc/{}/fd/{}", offer.process, offer.descriptor);
  const FileDescriptor file(open(name.c_str(), O_RDWR | O_CLOEXEC));
  if (!file) {
    return nullptr;
  }
  const std::size_t bytes = offer.bytes;
  void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  if (memory == MAP_FAILED) {
    return nullptr;
  }
  madvise(memory, bytes, MADV_HUGEPAGE);
  return {static_cast<std::byte*>(memory), [bytes](std::byte* block) { munmap(block, bytes); }};
}

}  // namespace

std::vector<Block> share_memory(Communicator& communicator, std::size_t bytes) {
  bytes = std::max(bytes, std::size_t{1});
  const FileDescriptor mine(memfd_create("convoy", MFD_CLOEXEC));
  const bool made = mine && ftruncate(mine.get(), static_cast<off_t>(bytes)) == 0;
  const std::vector<Offer> offers =
      offers_of_all(communicator, make_offer(made ? mine.get() : -1, bytes));
  std::vector<Block> blocks;
  if (one_host(communicator, offers)) {
    std::ranges::transform(offers, std::back_inserter(blocks), map_block);
  }
  std::int64_t failures =
      blocks.empty() || std::ranges::find(blocks, nullptr) != blocks.end() ? 1 : 0;
  all_reduce_sum(communicator, std::span(&failures, 1));
  if (failures > 0) {
    blocks.clear();
  }
  return blocks;
}

}  // namespace convoy::dist
