#include "launcher/format.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace convoy::launcher {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::string duration(double seconds) {
  return format_duration(std::chrono::duration<double>(seconds));
}

TEST(FormatTest, PercentHasTwoDecimals) {
  EXPECT_EQ(format_percent(0.9912), "99.12 %");
  EXPECT_EQ(format_percent(0), "0.00 %");
  EXPECT_EQ(format_percent(1), "100.00 %");
  EXPECT_EQ(format_percent(kNan), "nan");
  EXPECT_EQ(format_percent(-kNan), "nan");
}

TEST(FormatTest, LossKeepsAboutFiveDigitsAtEverySize) {
  EXPECT_EQ(format_loss(0.0453), "0.0453");
  EXPECT_EQ(format_loss(2.302585), "2.3026");
  EXPECT_EQ(format_loss(9.99996), "10.000");
  EXPECT_EQ(format_loss(12.3456), "12.346");
  EXPECT_EQ(format_loss(123.456), "123.46");
  EXPECT_EQ(format_loss(99999.4), "99999.4");
  EXPECT_EQ(format_loss(123456.0), "1.2e+05");
  EXPECT_EQ(format_loss(0.0000032), "3.2e-06");
  EXPECT_EQ(format_loss(0), "0.0000");
}

TEST(FormatTest, LossThatIsNoNumberSaysSo) {
  EXPECT_EQ(format_loss(kNan), "nan");
  EXPECT_EQ(format_loss(-kNan), "nan");
  EXPECT_EQ(format_loss(kInfinity), "inf");
  EXPECT_EQ(format_loss(-kInfinity), "-inf");
}

TEST(FormatTest, CountIsGroupedByThousands) {
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(1000), "1,000");
  EXPECT_EQ(format_count(12345), "12,345");
  EXPECT_EQ(format_count(1234567), "1,234,567");
  EXPECT_EQ(format_count(-100), "-100");
  EXPECT_EQ(format_count(-1000), "-1,000");
  EXPECT_EQ(format_count(std::numeric_limits<std::int64_t>::min()), "-9,223,372,036,854,775,808");
}

TEST(FormatTest, RateHasADecimalOnlyWhenSmall) {
  EXPECT_EQ(format_rate(4.24), "4.2");
  EXPECT_EQ(format_rate(9.96), "10");
  EXPECT_EQ(format_rate(12345.4), "12,345");
  EXPECT_EQ(format_rate(kNan), "?");
  EXPECT_EQ(format_rate(kInfinity), "?");
}

TEST(FormatTest, DurationShowsItsTwoLargestUnits) {
  EXPECT_EQ(duration(0), "0.0s");
  EXPECT_EQ(duration(4.93), "4.9s");
  EXPECT_EQ(duration(9.96), "10s");
  EXPECT_EQ(duration(59.4), "59s");
  EXPECT_EQ(duration(59.6), "1m00s");
  EXPECT_EQ(duration(65), "1m05s");
  EXPECT_EQ(duration(3599.6), "1h00m");
  EXPECT_EQ(duration(7620), "2h07m");
  EXPECT_EQ(duration(4 * 86400 + 3 * 3600 + 59), "4d03h");
}

TEST(FormatTest, DurationThatCannotBeIsAQuestionMark) {
  EXPECT_EQ(duration(-1), "?");
  EXPECT_EQ(duration(kNan), "?");
  EXPECT_EQ(duration(kInfinity), "?");
}

}  // namespace
}  // namespace convoy::launcher
