#include "launcher/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/launcher/command_line.h"
#include "tests/support/temporary_directory.h"

namespace convoy::launcher {
namespace {

using ::testing::HasSubstr;
using testing::parse_as;
using testing::refusal;

class ConfigFileTest : public ::testing::Test {
 protected:
  std::string file(const std::string& text) {
    std::ofstream(path_) << text;
    return path_.string();
  }
  std::string refusal_of(const std::string& text) {
    return refusal({"train", "--config", file(text)});
  }

 private:
  convoy::testing::TemporaryDirectory directory_;
  std::filesystem::path path_ = directory_.path() / "options.toml";
};

TEST_F(ConfigFileTest, LinesAreOptions) {
  const auto options = parse_as<TrainOptions>({"train", "--config", file(R"(# a comment
epochs = 3
lr = 0.25
model = "my net"
nesterov = true
no-shuffle = true
augment = false
)")});
  EXPECT_EQ(options.recipe.ShortDebugString(), "epochs: 3 lr: 0.25 nesterov: true");
  EXPECT_EQ(options.model, "my net");
  EXPECT_FALSE(options.shuffle);
  EXPECT_EQ(options.augment, false);
}

TEST_F(ConfigFileTest, CommandLineWinsWhereverItStands) {
  const std::string path = file("epochs = 3\nlr = 0.25\n");
  const auto options =
      parse_as<TrainOptions>({"train", "--epochs", "5", "--config", path, "--lr", "0.5"});
  EXPECT_EQ(options.recipe.ShortDebugString(), "epochs: 5 lr: 0.5");
}

TEST_F(ConfigFileTest, SectionCountsForItsCommandAlone) {
  const std::string path =
      file("threads = 3\n[train]\nepochs = 3\n[evaluate]\nraw-pixels = true\n");
  const auto train = parse_as<TrainOptions>({"train", "--config", path});
  EXPECT_EQ(train.recipe.epochs(), 3);
  EXPECT_EQ(train.threads, 3);
  EXPECT_FALSE(train.data.raw_pixels);
  const auto evaluate = parse_as<EvaluateOptions>({"evaluate", "run", "--config", path});
  EXPECT_EQ(evaluate.threads, 3);
  EXPECT_TRUE(evaluate.data.raw_pixels);
}

TEST_F(ConfigFileTest, MistakesAreRefusedWithTheFilesName) {
  EXPECT_THAT(refusal_of("epcohs = 3"), HasSubstr("options.toml: unknown option '--epcohs' (did"));
  EXPECT_THAT(refusal_of("epochs = 0"), HasSubstr("options.toml: --epochs '0': must be"));
  EXPECT_THAT(refusal_of("epochs = [1, 2]"), HasSubstr("options.toml: 'epochs' must be one value"));
  EXPECT_THAT(refusal_of("[trian]\nepochs = 3"),
              HasSubstr("options.toml: unknown section 'trian' (did you mean 'train'?)"));
  EXPECT_THAT(refusal_of("[train.deep]\nepochs = 3"), HasSubstr("train.deep"));
  EXPECT_THAT(refusal_of("config = \"x\""), HasSubstr("config cannot be set in a file"));
  EXPECT_THAT(refusal_of("json = maybe"), HasSubstr("must be true or false"));
}

TEST_F(ConfigFileTest, MistakeIsRefusedEvenWhereTheCommandLineWins) {
  EXPECT_THAT(refusal({"train", "--config", file("epochs = 0"), "--epochs", "3"}),
              HasSubstr("--epochs '0'"));
}

TEST_F(ConfigFileTest, FileThatIsNoTextIsRefused) {
  EXPECT_THAT(refusal_of(std::string("epochs\0 = 3", 11)), HasSubstr("is not text"));
  EXPECT_THAT(refusal_of(std::string((1 << 20) + 1, '#')), HasSubstr("longer than 1048576 bytes"));
  EXPECT_THAT(refusal({"train", "--config", "no/such/file"}),
              HasSubstr("no/such/file: cannot be read"));
  EXPECT_THAT(refusal({"train", "--config", "/"}), HasSubstr("/: cannot be read"));
}

}  // namespace
}  // namespace convoy::launcher
