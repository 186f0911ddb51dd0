#include "launcher/core_binding.h"

#include <gtest/gtest.h>

#include <set>

namespace convoy::launcher {
namespace {

std::vector<int> numbers(const std::vector<Cpu>& cpus) {
  std::vector<int> result;
  for (const Cpu& cpu : cpus) {
    result.push_back(cpu.number);
  }
  return result;
}

// Two sockets of two cores of two hardware threads, numbered the way Linux does.
const std::vector<Cpu> kServer = {{0, 0, 0}, {4, 0, 0}, {1, 0, 1}, {5, 0, 1},
                                  {2, 1, 0}, {6, 1, 0}, {3, 1, 1}, {7, 1, 1}};

TEST(CoreBindingTest, HardwareThreadsOfACoreCountOnce) {
  EXPECT_EQ(count_cores(kServer), 4);
  EXPECT_EQ(count_cores({}), 0);
}

TEST(CoreBindingTest, RankKeepsToWholeNeighbouringCores) {
  EXPECT_EQ(numbers(share_of(kServer, 0, 2)), (std::vector{0, 4, 1, 5}));
  EXPECT_EQ(numbers(share_of(kServer, 1, 2)), (std::vector{2, 6, 3, 7}));
  EXPECT_EQ(numbers(share_of(kServer, 3, 4)), (std::vector{3, 7}));
}

TEST(CoreBindingTest, HardwareThreadsAreSharedOutWhenCoresAreTooFew) {
  EXPECT_EQ(numbers(share_of(kServer, 0, 8)), (std::vector{0}));
  EXPECT_EQ(numbers(share_of(kServer, 1, 8)), (std::vector{4}));
}

TEST(CoreBindingTest, EveryCpuBelongsToExactlyOneRank) {
  for (int ranks = 1; ranks <= 8; ++ranks) {
    std::multiset<int> taken;
    for (int rank = 0; rank < ranks; ++rank) {
      const std::vector<int> mine = numbers(share_of(kServer, rank, ranks));
      EXPECT_FALSE(mine.empty());
      taken.insert(mine.begin(), mine.end());
    }
    EXPECT_EQ(taken, (std::multiset{0, 1, 2, 3, 4, 5, 6, 7})) << ranks << " ranks";
  }
}

TEST(CoreBindingTest, MoreRanksThanCpusOwnNothing) {
  EXPECT_TRUE(share_of(kServer, 0, 9).empty());
  EXPECT_TRUE(share_of({}, 0, 1).empty());
  EXPECT_TRUE(share_of(kServer, 0, 0).empty());
}

TEST(CoreBindingTest, ThisProcessMayUseSomeCpu) {
  EXPECT_FALSE(usable_cpus().empty());
  EXPECT_GE(static_cast<int>(usable_cpus().size()), count_cores(usable_cpus()));
}

}  // namespace
}  // namespace convoy::launcher
