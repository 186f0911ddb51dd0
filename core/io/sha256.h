// SHA-256 (FIPS 180-4), computed by OpenSSL's libcrypto.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

namespace convoy::io {

/// The digest of bytes that come one after the other. Throws Error if libcrypto refuses.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void add(std::span<const std::byte> bytes);
  /// Of all that was added, as 64 lower-case hexadecimal digits, as `sha256sum` prints it. Called
  /// once, last.
  std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256_hex(std::span<const std::byte> bytes);

/// Of a regular file's bytes, which are never in memory together. Throws Error.
std::string sha256_hex_of_file(const std::filesystem::path& path);

}  // namespace convoy::io
