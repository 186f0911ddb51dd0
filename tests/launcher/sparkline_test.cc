#include "launcher/sparkline.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace convoy::launcher {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kHuge = std::numeric_limits<double>::max();

TEST(SparklineTest, GoesFromTheLeastToTheGreatest) {
  EXPECT_EQ(sparkline(std::vector{0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0}, 80, true), "▁▂▃▄▅▆▇█");
  EXPECT_EQ(sparkline(std::vector{4.0, 3.0, 2.0, 1.0, 0.0}, 80, false), "^'-._");
}

TEST(SparklineTest, MoreValuesThanPlacesAreAveraged) {
  EXPECT_EQ(sparkline(std::vector{0.0, 2.0, 7.0, 9.0, 3.0, 5.0}, 3, true), "▁█▄");
  EXPECT_EQ(sparkline(std::vector<double>(1000, 1.0), 10, false), "__________");
}

TEST(SparklineTest, WhatIsNoNumberIsASpaceAndSpoilsNoNeighbour) {
  EXPECT_EQ(sparkline(std::vector{0.0, kNaN, 7.0}, 80, true), "▁ █");
  EXPECT_EQ(sparkline(std::vector{0.0, kNaN, 7.0, kNaN}, 2, true), "▁█");
  EXPECT_EQ(sparkline(std::vector{kNaN, kNaN}, 80, true), "  ");
}

TEST(SparklineTest, ExtremeNumbersAreDrawn) {
  EXPECT_EQ(sparkline(std::vector{-kHuge, 0.0, kHuge}, 80, true), "▁▅█");
  EXPECT_EQ(sparkline(std::vector{1.0}, 80, true), "▁");
}

TEST(SparklineTest, NothingIsDrawnOfNothingOrWithoutRoom) {
  EXPECT_EQ(sparkline({}, 80, true), "");
  EXPECT_EQ(sparkline(std::vector{1.0, 2.0}, 0, true), "");
  EXPECT_EQ(sparkline(std::vector{1.0, 2.0}, -5, true), "");
}

}  // namespace
}  // namespace convoy::launcher
