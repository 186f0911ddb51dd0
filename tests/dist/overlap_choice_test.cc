// All ranks try the ways of overlapping alike and come to the same choice.
#include "dist/overlap_choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <mutex>

#include "tests/dist/thread_communicator.h"

namespace convoy::dist {
namespace {

using ::testing::Each;
using ::testing::Ge;
using ::testing::Pair;
using ::testing::SizeIs;

TEST(OverlapChoiceTest, WhatWasAskedForIsUsedAtOnce) {
  LocalCommunicator communicator;
  OverlapChoice choice(Overlap::kPoll);
  EXPECT_EQ(choice.begin_step(communicator), Overlap::kPoll);
  EXPECT_EQ(choice.chosen(), Overlap::kPoll);
}

TEST(OverlapChoiceTest, RanksTryAllWaysInTheSameOrderAndChooseTheSame) {
  constexpr int kRanks = 3;
  std::mutex mutex;
  std::vector<std::vector<Overlap>> ways;
  testing::run_ranks(kRanks, [&](Communicator& communicator) {
    OverlapChoice choice(Overlap::kAuto);
    std::vector<Overlap> used;
    while (choice.chosen() == Overlap::kAuto) {
      ASSERT_LT(used.size(), 1000U);
      used.push_back(choice.begin_step(communicator));
      EXPECT_NE(used.back(), Overlap::kAuto);
    }
    EXPECT_EQ(choice.begin_step(communicator), choice.chosen());
    used.push_back(choice.chosen());
    const std::lock_guard lock(mutex);
    ways.push_back(std::move(used));
  });
  ASSERT_THAT(ways, SizeIs(kRanks));
  EXPECT_THAT(ways, Each(ways.front()));
  std::map<Overlap, int> steps;
  for (const Overlap way : ways.front()) {
    ++steps[way];
  }
  EXPECT_THAT(steps, SizeIs(3));
  EXPECT_THAT(steps, Each(Pair(::testing::_, Ge(8))));
}

}  // namespace
}  // namespace convoy::dist
