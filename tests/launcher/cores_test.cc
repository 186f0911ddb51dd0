// How ranks share the cores of their hosts.
#include "launcher/cores.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace convoy::launcher {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

CoreSet cores(std::initializer_list<std::size_t> numbers) {
  CoreSet set;
  for (const std::size_t number : numbers) {
    set.set(number);
  }
  return set;
}

RankCores free_rank(std::initializer_list<std::size_t> numbers, int wish = 0) {
  return {.allowed = cores(numbers), .available = cores(numbers), .wish = wish};
}

RankCores bound_rank(std::initializer_list<std::size_t> to, int wish = 0) {
  return {.allowed = cores(to), .available = cores({0, 1, 2, 3}), .wish = wish};
}

class CoresTest : public ::testing::Test {
 protected:
  std::vector<int> threads() const { return share_threads(hosts, ranks); }
  std::vector<std::string> warnings() const { return core_warnings(hosts, ranks); }

  std::vector<std::string> hosts = {"a", "a"};
  std::vector<RankCores> ranks;
};

TEST_F(CoresTest, RanksOfAHostShareWhatTheyMayAllUse) {
  ranks = {free_rank({0, 1, 2, 3}), free_rank({0, 1, 2, 3})};
  EXPECT_THAT(threads(), ElementsAre(2, 2));
  EXPECT_THAT(warnings(), IsEmpty());
}

TEST_F(CoresTest, CoresOfAnotherHostAreNotShared) {
  hosts = {"a", "b"};
  ranks = {free_rank({0, 1, 2, 3}), free_rank({0, 1, 2, 3})};
  EXPECT_THAT(threads(), ElementsAre(4, 4));
  EXPECT_THAT(warnings(), IsEmpty());
}

TEST_F(CoresTest, ARankWithCoresOfItsOwnUsesThemAll) {
  ranks = {bound_rank({0, 1}), bound_rank({2, 3})};
  EXPECT_THAT(threads(), ElementsAre(2, 2));
  EXPECT_THAT(warnings(), IsEmpty());
}

TEST_F(CoresTest, MoreRanksThanCoresIsSaid) {
  hosts = {"a", "a", "a"};
  ranks = {free_rank({0, 1}), free_rank({0, 1}), free_rank({0, 1})};
  EXPECT_THAT(threads(), ElementsAre(1, 1, 1));
  EXPECT_THAT(warnings(), ElementsAre(AllOf(HasSubstr("3 threads of 3 ranks on the 2 cores of a"),
                                            HasSubstr("fewer ranks"))));
}

TEST_F(CoresTest, WishesComeFirstAndTooManyThreadsAreSaid) {
  ranks = {free_rank({0, 1}, 2), free_rank({0, 1}, 1)};
  EXPECT_THAT(threads(), ElementsAre(2, 1));
  EXPECT_THAT(warnings(), ElementsAre(HasSubstr("3 threads of 2 ranks on the 2 cores")));
}

TEST_F(CoresTest, BindingToACoreEachIsSaidWhereOthersLieIdle) {
  ranks = {bound_rank({0}), bound_rank({1})};
  EXPECT_THAT(threads(), ElementsAre(1, 1));
  EXPECT_THAT(warnings(), ElementsAre(AllOf(HasSubstr("bound 2 ranks to 2 of the 4 cores of a"),
                                            HasSubstr("--bind-to none"))));
}

TEST_F(CoresTest, BindingToACoreWhereMoreThreadsAreWantedIsSaid) {
  ranks = {bound_rank({0}, 2), bound_rank({1}, 2)};
  EXPECT_THAT(warnings(), ElementsAre(AllOf(HasSubstr("4 threads of 2 ranks on the 2 cores of a"),
                                            HasSubstr("--bind-to none"))));
}

TEST_F(CoresTest, ARankWithMoreThreadsThanItsOwnCoresIsSaidThoughTheHostHasEnough) {
  ranks = {bound_rank({0}, 2), bound_rank({1, 2, 3}, 1)};
  EXPECT_THAT(warnings(), ElementsAre(HasSubstr("slow each other down")));
}

TEST_F(CoresTest, BindingThatTheNumberOfThreadsFitsIsNoMatter) {
  ranks = {bound_rank({0}, 1), bound_rank({1}, 1)};
  EXPECT_THAT(warnings(), IsEmpty());
}

TEST_F(CoresTest, OneLineStandsForManyHosts) {
  hosts = {"a", "b", "c"};
  ranks = {free_rank({0}, 2), free_rank({0}, 2), free_rank({0, 1}, 2)};
  EXPECT_THAT(warnings(),
              ElementsAre(AllOf(HasSubstr("the one core of a"), HasSubstr("(so on 2 hosts)"))));
}

}  // namespace
}  // namespace convoy::launcher
