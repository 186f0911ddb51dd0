#include "core/io/sha256.h"

#include <fmt/ranges.h>
#include <openssl/evp.h>

#include <array>

#include "core/base/check.h"

namespace convoy::io {

std::string sha256_hex(std::span<const std::byte> bytes) {
  std::array<unsigned char, 32> digest{};
  check(EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, EVP_sha256(), nullptr) == 1,
        "OpenSSL cannot compute SHA-256: its configuration forbids or lacks it");
  return fmt::format("{:02x}", fmt::join(digest, ""));
}

}  // namespace convoy::io
