#include "core/io/hash64.h"

// The whole library is in its header then: nothing to link.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "core/io/file.h"

namespace convoy::io {

std::uint64_t hash64(std::span<const std::byte> bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

std::uint64_t hash64_of_file(const std::filesystem::path& path) {
  XXH3_state_t state;
  XXH3_64bits_reset(&state);
  read_pieces(path, [&](std::span<const std::byte> piece) {
    XXH3_64bits_update(&state, piece.data(), piece.size());
  });
  return XXH3_64bits_digest(&state);
}

}  // namespace convoy::io
