#include "core/io/hash64.h"

// The whole library is in its header then: nothing to link.
#define XXH_INLINE_ALL
#include <xxhash.h>

namespace convoy::io {

std::uint64_t hash64(std::span<const std::byte> bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

}  // namespace convoy::io
