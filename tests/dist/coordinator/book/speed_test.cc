#include "dist/coordinator/book/speed.h"

#include <gtest/gtest.h>

namespace convoy::dist {
namespace {

using std::chrono::milliseconds;

TEST(SpeedTest, WindowForgetsWhatIsOlderThanTwentySteps) {
  WindowSum window;
  for (std::int64_t i = 1; i <= 50; ++i) {
    window.add(i);
  }
  EXPECT_EQ(window.count(), kSpeedWindow);
  EXPECT_DOUBLE_EQ(window.average(), 40.5);
}

TEST(SpeedTest, SpeedIsImagesOverTime) {
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
