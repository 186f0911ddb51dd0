#include "dist/coordinator/book/straggler.h"

#include <gtest/gtest.h>

#include <vector>

namespace convoy::dist {
namespace {

TEST(StragglerTest, SlowestIsComparedWithTheMedian) {
  const std::vector<double> computing = {10, 11, 30, 9, 10};
  const std::optional<Slowest> slowest = find_slowest(computing);
  ASSERT_TRUE(slowest);
  EXPECT_EQ(slowest->rank, 2);
  EXPECT_DOUBLE_EQ(slowest->factor, 3.0);
}

TEST(StragglerTest, OfTwoRanksTheSlowIsComparedWithTheOther) {
  const std::optional<Slowest> slowest = find_slowest(std::vector<double>{30, 10});
  ASSERT_TRUE(slowest);
  EXPECT_EQ(slowest->rank, 0);
  EXPECT_DOUBLE_EQ(slowest->factor, 3.0);
}

TEST(StragglerTest, OneRankAndRanksThatTookNoTimeAreNotCompared) {
  EXPECT_FALSE(find_slowest(std::vector<double>{30}));
  EXPECT_FALSE(find_slowest(std::vector<double>{0, 0, 5}));
  EXPECT_FALSE(find_slowest({}));
}

}  // namespace
}  // namespace convoy::dist
