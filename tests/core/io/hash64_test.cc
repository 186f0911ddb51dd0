#include "core/io/hash64.h"

#include <gtest/gtest.h>

#include <vector>

#include "core/io/file.h"

namespace convoy::io {
namespace {

// As `xxhsum -H3` prints them.
TEST(Hash64Test, KnownHashes) {
  EXPECT_EQ(hash64({}), 0x2d06800538d394c2U);
  EXPECT_EQ(hash64(as_bytes("abc")), 0x78af5f94892f3950U);
}

TEST(Hash64Test, EveryBitCounts) {
  std::vector<std::byte> bytes(5000);
  const std::uint64_t before = hash64(bytes);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] ^= std::byte{1} << bit % 8;
    EXPECT_NE(hash64(bytes), before) << "bit " << bit;
    bytes[bit / 8] ^= std::byte{1} << bit % 8;
  }
}

}  // namespace
}  // namespace convoy::io
