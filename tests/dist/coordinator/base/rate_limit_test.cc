#include "dist/coordinator/base/rate_limit.h"

#include <gtest/gtest.h>

namespace convoy::dist {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

int taken(RateLimit& limit, RateLimit::Time now, int tries) {
  int count = 0;
  for (int i = 0; i < tries; ++i) {
    count += limit.take(now) ? 1 : 0;
  }
  return count;
}

TEST(RateLimitTest, ABurstEmptiesTheBucket) {
  RateLimit limit(10, 20);
  EXPECT_EQ(taken(limit, RateLimit::Time{}, 100), 20);
}

TEST(RateLimitTest, TimeFillsItAtTheRateUpToTheBurst) {
  RateLimit limit(10, 20);
  const RateLimit::Time start{};
  taken(limit, start, 100);
  EXPECT_EQ(taken(limit, start + milliseconds(50), 100), 0);
  EXPECT_EQ(taken(limit, start + milliseconds(500), 100), 5);
  EXPECT_EQ(taken(limit, start + seconds(1000), 100), 20);
}

TEST(RateLimitTest, TimeThatGoesBackGivesNothing) {
  RateLimit limit(10, 1);
  const RateLimit::Time start = RateLimit::Time{} + seconds(1000);
  EXPECT_TRUE(limit.take(start));
  EXPECT_FALSE(limit.take(start - seconds(900)));
  EXPECT_FALSE(limit.take(start));
  EXPECT_TRUE(limit.take(start + seconds(1)));
}

}  // namespace
}  // namespace convoy::dist
