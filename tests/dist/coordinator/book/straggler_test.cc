#include "dist/coordinator/book/straggler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <vector>

namespace convoy::dist {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Times = std::vector<double>;

TEST(StragglerTest, RanksAreComparedWithTheMedian) {
  EXPECT_THAT(factors_of_median(Times{10, 11, 30, 5, 10}), ElementsAre(1.0, 1.1, 3.0, 0.5, 1.0));
}

TEST(StragglerTest, OfTwoRanksTheSlowIsComparedWithTheOther) {
  EXPECT_THAT(factors_of_median(Times{30, 10}), ElementsAre(3.0, 1.0));
}

TEST(StragglerTest, OneRankAndRanksThatTookNoTimeAreNotCompared) {
  EXPECT_THAT(factors_of_median(Times{30}), IsEmpty());
  EXPECT_THAT(factors_of_median(Times{0, 0, 5}), IsEmpty());
  EXPECT_THAT(factors_of_median({}), IsEmpty());
}

class StragglerWatchTest : public ::testing::Test {
 protected:
  /// Looks every half second for so long, the first time at once; who is named then, -1 if nobody.
  int look(const Times& computing, milliseconds time) {
    for (const Time end = now_ + time; now_ < end; now_ += milliseconds(500)) {
      watch_.look(computing, now_);
    }
    return watch_.named() ? watch_.named()->rank : -1;
  }

  StragglerWatch watch_;
  Time now_ = from_epoch(std::chrono::hours(24 * 365 * 50));
  const Times even_{10, 10, 10, 10};
  const Times slow_{10, 10, 15, 10};
};

TEST_F(StragglerWatchTest, RankIsNamedAfterFiveSecondsAndUntilFiveSecondsLater) {
  EXPECT_EQ(look(slow_, milliseconds(5000)), -1) << "the last look is after 4.5 s";
  EXPECT_EQ(look(slow_, milliseconds(500)), 2);
  EXPECT_EQ(watch_.named()->factor, 1.5);
  EXPECT_EQ(look(even_, milliseconds(5000)), 2);
  EXPECT_EQ(watch_.named()->factor, 1.0) << "it is the last look's";
  EXPECT_EQ(look(even_, milliseconds(500)), -1);
}

TEST_F(StragglerWatchTest, HiccupsNameNobody) {
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(look(slow_, milliseconds(4500)), -1);
    EXPECT_EQ(look(even_, milliseconds(500)), -1);
    EXPECT_EQ(look({10, 30, 10, 10}, milliseconds(4500)), -1) << "each rank's time is its own";
  }
}

TEST_F(StragglerWatchTest, GoodMomentsTakeNothingBack) {
  EXPECT_EQ(look(slow_, milliseconds(6000)), 2);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(look(even_, milliseconds(4500)), 2);
    EXPECT_EQ(look({10, 10, 11.5, 10}, milliseconds(500)), 2) << "between the two borders";
  }
  EXPECT_EQ(look({10, 10, 11.5, 10}, milliseconds(60'000)), 2);
}

TEST_F(StragglerWatchTest, BetweenTheBordersNobodyIsNamed) {
  EXPECT_EQ(look({10, 10, 11.5, 10}, milliseconds(60'000)), -1);
}

TEST_F(StragglerWatchTest, OfSeveralTheSlowestIsNamedAndStays) {
  EXPECT_EQ(look({10, 13, 15, 10, 10}, milliseconds(6000)), 2);
  EXPECT_EQ(look({10, 17, 15, 10, 10}, milliseconds(60'000)), 2) << "they are about as slow";
  EXPECT_EQ(look({10, 30, 15, 10, 10}, milliseconds(5000)), 2);
  EXPECT_EQ(look({10, 30, 15, 10, 10}, milliseconds(500)), 1) << "much slower, and for long";
}

TEST_F(StragglerWatchTest, NextOneIsNamedWhenTheFirstIsGone) {
  EXPECT_EQ(look({10, 13, 15, 10, 10}, milliseconds(6000)), 2);
  EXPECT_EQ(look({10, 13, 10, 10, 10}, milliseconds(5000)), 2);
  EXPECT_EQ(look({10, 13, 10, 10, 10}, milliseconds(500)), 1);
}

TEST_F(StragglerWatchTest, KnowsNothingNewOfNothing) {
  EXPECT_EQ(look(slow_, milliseconds(6000)), 2);
  EXPECT_EQ(look({}, milliseconds(60'000)), 2);
  EXPECT_EQ(look(slow_, milliseconds(500)), 2);
}

TEST_F(StragglerWatchTest, WhoWasNamedBeforeStaysFiveSecondsAtLeast) {
  watch_ = StragglerWatch({.rank = 3, .factor = 2.0});
  EXPECT_EQ(look(even_, milliseconds(5000)), 3);
  EXPECT_EQ(look(even_, milliseconds(500)), -1);
}

}  // namespace
}  // namespace convoy::dist
