// XXH3, a 64-bit hash that runs at the speed of memory; computed by the xxHash library. For telling
// accidents apart (other data, a flipped bit), not for defence: files on disk have SHA-256.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

namespace convoy::io {

/// The same bytes give the same hash on every machine.
std::uint64_t hash64(std::span<const std::byte> bytes);

/// The same of bytes that come one after the other.
class Hash64 {
 public:
  Hash64();
  ~Hash64();
  Hash64(const Hash64&) = delete;
  Hash64& operator=(const Hash64&) = delete;

  void add(std::span<const std::byte> bytes);
  /// Of all that was added so far.
  std::uint64_t value() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The hash of a regular file's bytes, which are never in memory together. Throws Error.
std::uint64_t hash64_of_file(const std::filesystem::path& path);

}  // namespace convoy::io
