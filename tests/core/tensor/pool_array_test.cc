#include "core/tensor/pool_array.h"

#include <gtest/gtest.h>

namespace convoy {
namespace {

TEST(PoolArrayTest, GivesItsMemoryBackToThePool) {
  const double* first = nullptr;
  {
    PoolArray<double> array(1000);
    first = array.data();
  }
  const std::uint64_t allocations = BufferPool::instance().system_allocations();
  const PoolArray<double> again(1000);
  EXPECT_EQ(again.data(), first);
  EXPECT_EQ(BufferPool::instance().system_allocations(), allocations);
}

TEST(PoolArrayTest, MovesWithoutCopying) {
  PoolArray<std::uint8_t> from(3);
  from[2] = 7;
  const std::uint8_t* data = from.data();
  PoolArray<std::uint8_t> to(std::move(from));
  EXPECT_EQ(to.data(), data);
  EXPECT_EQ(to.values().size(), 3U);
  PoolArray<std::uint8_t> last;
  EXPECT_TRUE(last.empty());
  last = std::move(to);
  EXPECT_EQ(last[2], 7);
}

TEST(PoolArrayTest, NoElementsAreAllowed) {
  const PoolArray<float> none(0);
  EXPECT_FALSE(none.empty());
  EXPECT_TRUE(none.values().empty());
}

}  // namespace
}  // namespace convoy
