#include "launcher/retention.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace convoy::launcher {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// At steps 10, 20, ...: in the middle of an epoch (a negative accuracy) or after one.
std::vector<KeptCheckpoint> with_accuracies(const std::vector<double>& accuracies) {
  std::vector<KeptCheckpoint> checkpoints;
  for (const double accuracy : accuracies) {
    checkpoints.push_back({.step = 10 * static_cast<std::int64_t>(checkpoints.size() + 1)});
    if (!(accuracy < 0)) {
      checkpoints.back().score = {.accuracy = accuracy, .loss = 1.0};
    }
  }
  return checkpoints;
}

TEST(RetentionTest, NewestAndBestAreKept) {
  const auto checkpoints = with_accuracies({0.5, 0.9, 0.7, 0.6, 0.8});
  EXPECT_THAT(superfluous(checkpoints, {.last = 2, .best = 1}), ElementsAre(10, 30));
  EXPECT_THAT(superfluous(checkpoints, {.last = 1, .best = 3}), ElementsAre(10, 40));
  EXPECT_THAT(superfluous(checkpoints, {.last = 2, .best = 0}), ElementsAre(10, 20, 30));
  EXPECT_THAT(superfluous(checkpoints, {.last = 5, .best = 0}), IsEmpty());
  EXPECT_THAT(superfluous(checkpoints, {.last = 1, .best = 99}), IsEmpty());
  EXPECT_THAT(superfluous({}, {}), IsEmpty());
}

TEST(RetentionTest, BestMayBeAmongTheNewest) {
  EXPECT_THAT(superfluous(with_accuracies({0.5, 0.6, 0.7}), {.last = 1, .best = 1}),
              ElementsAre(10, 20));
}

TEST(RetentionTest, ThoseWithinEpochsHaveNoScore) {
  EXPECT_THAT(superfluous(with_accuracies({-1, 0.1, -1, -1}), {.last = 1, .best = 2}),
              ElementsAre(10, 30));
}

TEST(RetentionTest, OfEqualAccuraciesTheLowerLossThenTheNewerIsBetter) {
  auto checkpoints = with_accuracies({0.5, 0.5, 0.5, 0.1});
  EXPECT_THAT(superfluous(checkpoints, {.last = 1, .best = 1}), ElementsAre(10, 20));
  checkpoints[0].score->loss = 0.2;
  EXPECT_THAT(superfluous(checkpoints, {.last = 1, .best = 1}), ElementsAre(20, 30));
}

TEST(RetentionTest, NotANumberIsWorst) {
  auto checkpoints = with_accuracies({0.0, NAN, NAN, NAN});
  EXPECT_THAT(superfluous(checkpoints, {.last = 1, .best = 1}), ElementsAre(20, 30));
  checkpoints[0].score->loss = NAN;
  EXPECT_THAT(superfluous(checkpoints, {.last = 1, .best = 1}), ElementsAre(20, 30));
}

TEST(RetentionTest, NewestIsNeverDeleted) {
  EXPECT_THAT(superfluous(with_accuracies({0.9, 0.1}), {.last = 0, .best = 1}), IsEmpty());
  EXPECT_THAT(superfluous(with_accuracies({0.9, 0.1}), {.last = 0, .best = -1}), ElementsAre(10));
}

TEST(RetentionTest, OrderAndRepetitionsDoNotMatter) {
  auto checkpoints = with_accuracies({0.5, 0.9, 0.7});
  checkpoints.push_back(checkpoints.front());
  std::swap(checkpoints[0], checkpoints[2]);
  EXPECT_THAT(superfluous(checkpoints, {.last = 1, .best = 1}), ElementsAre(10));
}

}  // namespace
}  // namespace convoy::launcher
