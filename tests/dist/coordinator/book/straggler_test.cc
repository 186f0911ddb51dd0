#include "dist/coordinator/book/straggler.h"

#include <gtest/gtest.h>

#include <vector>

namespace convoy::dist {
namespace {

using std::chrono::milliseconds;

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

TEST(StragglerTest, WindowForgetsWhatIsOlderThanTwentySteps) {
  WindowSum window;
  for (std::int64_t i = 1; i <= 50; ++i) {
    window.add(i);
  }
  EXPECT_EQ(window.count(), kSpeedWindow);
  EXPECT_DOUBLE_EQ(window.average(), 40.5);
}

TEST(StragglerTest, SpeedIsImagesOverTime) {
  Speed speed;
  EXPECT_EQ(speed.images_per_second(), 0.0);
  speed.add(32, milliseconds(0));
  EXPECT_EQ(speed.images_per_second(), 0.0);
  speed.add(32, milliseconds(100));
  EXPECT_DOUBLE_EQ(speed.images_per_second(), 640.0);
  EXPECT_EQ(speed.average_duration(), milliseconds(50));
}

}  // namespace
}  // namespace convoy::dist
