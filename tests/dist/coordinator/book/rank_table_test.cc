#include "dist/coordinator/book/rank_table.h"

#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <vector>

#include "tests/dist/coordinator/book/requests.h"

namespace convoy::testing {
namespace {

using dist::Refusal;
using dist::Time;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::int64_t kRunId = 7;
constexpr Time kStart{seconds(1000)};

std::vector<v1::RankInfo> infos(std::int32_t world_size) {
  const v1::RegisterRunRequest request = registration(world_size);
  return {request.ranks().begin(), request.ranks().end()};
}

dist::RankTable table_of(std::int32_t world_size, std::int64_t told = 0) {
  dist::RankTable table(kRunId, "night-run");
  table.begin(infos(world_size), told, kStart);
  return table;
}

v1::RankStep part(std::int32_t rank, milliseconds computing) {
  return step_of(1, {rank}, computing).ranks(0);
}

TEST(RankTableTest, ReportsAreTakenOnceAndInOrder) {
  dist::RankTable table = table_of(2);
  EXPECT_TRUE(table.is_next(1, 1));
  table.acknowledge(1, 1);
  EXPECT_FALSE(table.is_next(1, 1));
  EXPECT_TRUE(table.is_next(1, 2));
  EXPECT_TRUE(table.is_next(0, 1)) << "each rank counts its own";
  expect_refusal(Refusal::Kind::kAborted, "3 after 1 of rank 1 of run 'night-run'",
                 [&] { table.is_next(1, 3); });
  EXPECT_EQ(table.acknowledged(1), 1);
  EXPECT_THROW(table.acknowledged(2), std::out_of_range);
}

TEST(RankTableTest, OfOthersTheFirstReportIsTakenIfRankZeroHasToldBefore) {
  const dist::RankTable table = table_of(2, 5);
  EXPECT_EQ(table.acknowledged(0), 5);
  EXPECT_FALSE(table.is_next(0, 5));
  EXPECT_EQ(table.acknowledged(1), 0);
  EXPECT_TRUE(table.is_next(1, 900));
}

TEST(RankTableTest, RankZeroMaySkipReportsThatItNoLongerHas) {
  dist::RankTable table = table_of(1);
  EXPECT_TRUE(table.skip_to(9));
  EXPECT_EQ(table.acknowledged(0), 8);
  EXPECT_FALSE(table.skip_to(9)) << "nothing is left to skip";
  EXPECT_FALSE(table.skip_to(3)) << "never back";
  EXPECT_EQ(table.acknowledged(0), 8);
}

TEST(RankTableTest, RanksAreComparedOnceAllHaveToldOfFiveSteps) {
  dist::RankTable table = table_of(2);
  for (std::int64_t step = 1; step <= 5; ++step) {
    table.count(part(0, milliseconds(10)), step, milliseconds(40));
    EXPECT_TRUE(table.computing().empty());
    table.count(part(1, milliseconds(30)), step, milliseconds(40));
  }
  EXPECT_EQ(table.computing(), (std::vector<double>{10e6, 30e6}));
}

TEST(RankTableTest, CountsWhoWasHeardOf) {
  dist::RankTable table = table_of(3);
  table.seen(2, kStart + seconds(5));
  EXPECT_EQ(table.count_heard_since(kStart), 3);
  EXPECT_EQ(table.count_heard_since(kStart + seconds(5)), 1);
  EXPECT_TRUE(table.heard_since(2, kStart + seconds(5)));
  EXPECT_FALSE(table.heard_since(1, kStart + seconds(5)));
}

TEST(RankTableTest, ChangesAreTakenOncePerRankAndWhatIsLoadedIsShown) {
  dist::RankTable table = table_of(2);
  std::vector<dist::RankRow> rows;
  table.take_changes(rows);
  ASSERT_EQ(rows.size(), 2U) << "all are new";
  rows.clear();
  table.acknowledge(1, 1);
  table.count(part(1, milliseconds(30)), 12, milliseconds(100));
  table.seen(1, kStart + seconds(1));
  table.take_changes(rows);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].run_id, kRunId);
  EXPECT_EQ(rows[0].rank, 1);
  EXPECT_EQ(rows[0].step, 12);
  EXPECT_EQ(rows[0].computing, milliseconds(30));

  dist::RankTable loaded(kRunId, "night-run");
  loaded.load(infos(2), {dist::RankRow{.run_id = kRunId, .rank = 0}, rows[0]});
  EXPECT_EQ(loaded.show(1).SerializeAsString(), table.show(1).SerializeAsString());
  EXPECT_EQ(loaded.show(1).info().host(), "node1");
  EXPECT_EQ(loaded.acknowledged(1), 1);
  EXPECT_TRUE(loaded.computing().empty()) << "to compare, steps must come first";
  rows.clear();
  loaded.take_changes(rows);
  EXPECT_TRUE(rows.empty());
}

}  // namespace
}  // namespace convoy::testing
