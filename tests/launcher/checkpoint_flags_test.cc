#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/launcher/command_line.h"
#include "tests/support/temporary_directory.h"

namespace convoy::launcher {
namespace {

using ::testing::HasSubstr;
using testing::parse_as;
using testing::refusal_of_train;

TEST(CheckpointFlagsTest, ResumeTakesADirectoryOrNone) {
  const auto resume = [](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "train");
    return parse_as<TrainOptions>(arguments).resume;
  };
  EXPECT_EQ(resume({}), std::nullopt);
  EXPECT_EQ(resume({"--resume"}), "");
  EXPECT_EQ(resume({"--resume", "--quiet"}), "");
  EXPECT_EQ(resume({"--resume", "runs/a"}), "runs/a");
  EXPECT_EQ(resume({"--resume=runs/a", "--quiet"}), "runs/a");
  EXPECT_EQ(resume({"--resume", "runs/a", "--resume", "runs/b"}), "runs/b");
}

TEST(CheckpointFlagsTest, CheckpointFlagsArrive) {
  const auto options = parse_as<TrainOptions>(
      {"train", "--checkpoint-every", "50", "--keep-last", "3", "--keep-best", "0"});
  EXPECT_EQ(options.checkpoint_every, 50);
  EXPECT_EQ(options.keep.last, 3);
  EXPECT_EQ(options.keep.best, 0);
  EXPECT_THAT(refusal_of_train({"--keep-last", "0"}), HasSubstr("--keep-last '0': must be"));
  EXPECT_THAT(refusal_of_train({"--checkpoint-every", "0"}), HasSubstr("--checkpoint-every"));
}

TEST(CheckpointFlagsTest, ArgumentsLieOverAnotherRunsOptions) {
  TrainOptions base;
  base.seed = 5;
  base.recipe.set_epochs(3);
  base.recipe.set_lr(0.5);
  const convoy::testing::TemporaryDirectory directory;
  const auto file = directory.path() / "train.toml";
  std::ofstream(file) << "epochs = 4\nmax-steps = 9\n";
  const auto given =
      parse_as<TrainOptions>({"train", "--config", file.string(), "--epochs", "7", "--threads=2"});
  const TrainOptions over = lay_over(base, given.arguments);
  EXPECT_EQ(over.recipe.epochs(), 7);
  EXPECT_EQ(over.max_steps, 9);
  EXPECT_EQ(over.threads, 2);
  EXPECT_EQ(over.seed, 5U);
  EXPECT_EQ(over.recipe.lr(), 0.5);
  EXPECT_EQ(lay_over(base, {"--seed", "0"}).seed, 0U);
}

}  // namespace
}  // namespace convoy::launcher
