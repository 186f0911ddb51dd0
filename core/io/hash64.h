// XXH3, a 64-bit hash that runs at the speed of memory; computed by the xxHash library. For telling
// accidents apart (other data, a flipped bit), not for defence: files on disk have SHA-256.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

namespace convoy::io {

/// The same bytes give the same hash on every machine.
std::uint64_t hash64(std::span<const std::byte> bytes);

/// The hash of a regular file's bytes, which are never in memory together. Throws Error.
std::uint64_t hash64_of_file(const std::filesystem::path& path);

}  // namespace convoy::io
