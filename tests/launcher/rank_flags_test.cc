#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/launcher/command_line.h"

namespace convoy::launcher {
namespace {

using testing::parse_as;
using testing::refusal_of_train;
using ::testing::StartsWith;

TEST(RankFlagsTest, NothingIsStartedUnlessAskedFor) {
  const auto options = parse_as<TrainOptions>({"train"}).distributed;
  EXPECT_EQ(options.ranks, std::nullopt);
  EXPECT_EQ(options.hostfile, "");
  EXPECT_FALSE(options.dry_run);
  EXPECT_FALSE(options.reproducible);
}

TEST(RankFlagsTest, DefaultsAreTheTrainers) {
  const auto options = parse_as<TrainOptions>({"train"}).distributed;
  const dist::TrainerOptions trainer;
  EXPECT_EQ(options.reduce.bucket_bytes, trainer.reduce.bucket_bytes);
  EXPECT_EQ(options.micro_shards, trainer.micro_shards);
  EXPECT_EQ(options.check_every, trainer.check_every);
  EXPECT_EQ(options.on_nan, trainer.on_nan);
}

TEST(RankFlagsTest, EveryFlagArrives) {
  const auto options = parse_as<TrainOptions>({"train",
                                               "-n",
                                               "4",
                                               "--hostfile",
                                               "hosts",
                                               "--dry-run",
                                               "--timeout",
                                               "5",
                                               "--reproducible",
                                               "--micro-shards",
                                               "16",
                                               "--shard-optimizer",
                                               "--overlap",
                                               "poll",
                                               "--bucket-kib",
                                               "64",
                                               "--bf16-gradients",
                                               "--on-nan",
                                               "rollback",
                                               "--check-every",
                                               "0"})
                           .distributed;
  EXPECT_EQ(options.ranks, 4);
  EXPECT_EQ(options.hostfile, "hosts");
  EXPECT_TRUE(options.dry_run);
  EXPECT_EQ(options.timeout, std::chrono::seconds(5));
  EXPECT_TRUE(options.reproducible);
  EXPECT_EQ(options.micro_shards, 16);
  EXPECT_TRUE(options.shard_optimizer);
  EXPECT_EQ(options.reduce.overlap, dist::Overlap::kPoll);
  EXPECT_EQ(options.reduce.bucket_bytes, 65536);
  EXPECT_TRUE(options.reduce.bf16);
  EXPECT_EQ(options.on_nan, dist::OnNan::kRollBack);
  EXPECT_EQ(options.check_every, 0);
}

TEST(RankFlagsTest, EveryWordIsTheOneItNames) {
  for (const auto on_nan : {dist::OnNan::kStop, dist::OnNan::kSkip, dist::OnNan::kRollBack}) {
    EXPECT_EQ(parse_on_nan(on_nan_str(on_nan)), on_nan);
  }
  EXPECT_EQ(parse_on_nan("skip"), dist::OnNan::kSkip);
  const auto overlap = [](const char* word) {
    return parse_as<TrainOptions>({"train", "--overlap", word}).distributed.reduce.overlap;
  };
  EXPECT_EQ(overlap("auto"), dist::Overlap::kAuto);
  EXPECT_EQ(overlap("off"), dist::Overlap::kOff);
  EXPECT_EQ(overlap("thread"), dist::Overlap::kThread);
}

TEST(RankFlagsTest, ValueOutOfRangeIsNamed) {
  EXPECT_EQ(refusal_of_train({"-n", "0"}), "--ranks '0': must be a whole number, 1 to 65536");
  EXPECT_EQ(refusal_of_train({"-n"}), "-n needs a value: -n N");
  EXPECT_THAT(refusal_of_train({"--timeout", "0"}), StartsWith("--timeout '0': "));
  EXPECT_THAT(refusal_of_train({"--micro-shards", "1025"}), StartsWith("--micro-shards '1025': "));
  EXPECT_THAT(refusal_of_train({"--bucket-kib", "0"}), StartsWith("--bucket-kib '0': "));
  EXPECT_EQ(refusal_of_train({"--on-nan", "rolback"}),
            "--on-nan 'rolback': must be one of stop, skip, rollback (did you mean 'rollback'?)");
}

}  // namespace
}  // namespace convoy::launcher
