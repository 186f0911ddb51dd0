#include "launcher/plot/axis.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace convoy::plot {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> labels(const Axis& axis) {
  std::vector<std::string> labels;
  for (const double tick : axis.ticks()) {
    labels.push_back(axis.label(tick));
  }
  return labels;
}

TEST(NiceAxisTest, TicksAreRoundNumbersAroundTheRange) {
  EXPECT_THAT(labels(nice_axis(0, 0.123, 7)), ElementsAre("0.00", "0.05", "0.10", "0.15"));
  EXPECT_THAT(labels(nice_axis(96.15, 99.52, 7)), ElementsAre("96", "97", "98", "99", "100"));
  EXPECT_THAT(labels(nice_axis(0, 2.3, 7)), ElementsAre("0.0", "0.5", "1.0", "1.5", "2.0", "2.5"));
  EXPECT_THAT(labels(nice_axis(-0.3, 0.3, 7)),
              ElementsAre("-0.3", "-0.2", "-0.1", "0.0", "0.1", "0.2", "0.3"));
}

TEST(NiceAxisTest, RangeThatIsRoundAlreadyStays) {
  const Axis axis = nice_axis(0, 0.3, 7);
  EXPECT_DOUBLE_EQ(axis.low, 0);
  EXPECT_DOUBLE_EQ(axis.high, 0.3);
}

TEST(NiceAxisTest, NeverMoreTicksThanAskedFor) {
  for (const double low : {-1000.0, -3.7, 0.0, 1e-4, 0.5, 96.15, 12345.678}) {
    for (double extent = 1e-6; extent < 1e7; extent *= 1.7) {
      const Axis axis = nice_axis(low, low + extent, 7);
      EXPECT_LE(axis.ticks().size(), 7U) << low << " + " << extent;
      EXPECT_GE(axis.ticks().size(), 3U) << low << " + " << extent;
      EXPECT_LE(axis.low, low + 1e-6 * extent);
      EXPECT_GE(axis.high, low + (1 - 1e-6) * extent);
    }
  }
}

TEST(NiceAxisTest, RangeWithoutExtentIsWidened) {
  for (const double value : {0.0, 0.5, -3.0, 1e-9, 1e20}) {
    const Axis axis = nice_axis(value, value, 7);
    EXPECT_LT(axis.low, value);
    EXPECT_GT(axis.high, value);
  }
}

TEST(NiceAxisTest, HugeAndTinyNumbersAreWrittenShort) {
  EXPECT_EQ(nice_axis(0, 1e20, 7).label(2e19), "2e+19");
  EXPECT_EQ(nice_axis(0, 1e-12, 7).label(2e-13), "2e-13");
}

TEST(CountAxisTest, TicksAreWholeNumbersWithinTheRange) {
  EXPECT_THAT(labels(count_axis(1, 2, 8)), ElementsAre("1", "2"));
  EXPECT_THAT(labels(count_axis(1, 5, 8)), ElementsAre("1", "2", "3", "4", "5"));
  EXPECT_THAT(labels(count_axis(1, 15, 8)), ElementsAre("2", "4", "6", "8", "10", "12", "14"));
  EXPECT_THAT(labels(count_axis(1, 100, 8)), ElementsAre("20", "40", "60", "80", "100"));
}

TEST(CountAxisTest, SingleValueStandsInTheMiddle) {
  const Axis axis = count_axis(7, 7, 8);
  EXPECT_THAT(labels(axis), ElementsAre("7"));
  EXPECT_DOUBLE_EQ(axis.position(7), 0.5);
}

}  // namespace
}  // namespace convoy::plot
