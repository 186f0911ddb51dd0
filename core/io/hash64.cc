#include "core/io/hash64.h"

// The whole library is in its header then: nothing to link.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "core/io/file.h"

namespace convoy::io {

std::uint64_t hash64(std::span<const std::byte> bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

struct Hash64::State {
  XXH3_state_t xxh3;
};

Hash64::Hash64() : state_(std::make_unique<State>()) {
  XXH3_64bits_reset(&state_->xxh3);
}

Hash64::~Hash64() = default;

void Hash64::add(std::span<const std::byte> bytes) {
  XXH3_64bits_update(&state_->xxh3, bytes.data(), bytes.size());
}

std::uint64_t Hash64::value() const {
  return XXH3_64bits_digest(&state_->xxh3);
}

std::uint64_t hash64_of_file(const std::filesystem::path& path) {
  Hash64 hash;
  read_pieces(path, [&](std::span<const std::byte> piece) { hash.add(piece); });
  return hash.value();
}

}  // namespace convoy::io
