// SHA-256 (FIPS 180-4), computed by OpenSSL's libcrypto.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace convoy::io {

/// The digest as 64 lower-case hexadecimal digits, as `sha256sum` prints it.
std::string sha256_hex(std::span<const std::byte> bytes);

}  // namespace convoy::io
