// CRC-32C (Castagnoli, as in iSCSI, RFC 3720 appendix B.4), the checksum of many record formats.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace convoy::io {

std::uint32_t crc32c(std::span<const std::byte> bytes);

}  // namespace convoy::io
