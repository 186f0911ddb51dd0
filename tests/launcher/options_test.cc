#include "launcher/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <limits>
#include <sstream>

#include "tests/support/temporary_directory.h"

namespace convoy::launcher {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

Command parse(const std::vector<std::string>& arguments) {
  std::vector<const char*> argv = {"convoy"};
  for (const std::string& argument : arguments) {
    argv.push_back(argument.c_str());
  }
  return parse_command_line(static_cast<int>(argv.size()), argv.data());
}

template <typename Options>
Options parse_as(const std::vector<std::string>& arguments) {
  return std::get<Options>(parse(arguments));
}

// The text of the refusal, or "" after a test failure.
std::string refusal(const std::vector<std::string>& arguments) {
  try {
    parse(arguments);
  } catch (const UsageError& error) {
    return error.what();
  }
  ADD_FAILURE() << "nothing was refused";
  return "";
}

std::string refusal_of_train(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "train");
  return refusal(arguments);
}

TEST(OptionsTest, TrainAloneIsTheTutorialWithNothingSaidOfItsRecipe) {
  const auto options = parse_as<TrainOptions>({"train"});
  EXPECT_EQ(options.model, "tutorial");
  EXPECT_EQ(options.recipe.ByteSizeLong(), 0U);
  EXPECT_EQ(options.data.dataset, std::nullopt);
  EXPECT_EQ(options.augment, std::nullopt);
  EXPECT_EQ(options.seed, 0U);
  EXPECT_TRUE(options.shuffle);
  EXPECT_EQ(options.plots, PlotFormat::kPng);
  EXPECT_FALSE(options.json);
}

TEST(OptionsTest, EveryTrainFlagArrives) {
  const auto options = parse_as<TrainOptions>({"train",
                                               "--dataset",
                                               "fashion-mnist",
                                               "--data",
                                               "d",
                                               "--model",
                                               "net",
                                               "--epochs",
                                               "3",
                                               "--batch-size",
                                               "64",
                                               "--optimizer",
                                               "sgd",
                                               "--lr",
                                               "0.5",
                                               "--momentum",
                                               "0.25",
                                               "--nesterov",
                                               "--weight-decay",
                                               "0.125",
                                               "--accumulate",
                                               "4",
                                               "--seed",
                                               "7",
                                               "--max-steps",
                                               "9",
                                               "--no-shuffle",
                                               "--init-from",
                                               "w.safetensors",
                                               "--run-dir",
                                               "r",
                                               "--threads",
                                               "2",
                                               "--no-augment",
                                               "--raw-pixels",
                                               "--json",
                                               "--quiet",
                                               "--clip-norm",
                                               "1.5",
                                               "--label-smoothing=0.1",
                                               "--warmup-steps",
                                               "11",
                                               "--plots",
                                               "svg"});
  EXPECT_EQ(options.data.dataset, DatasetName::kFashionMnist);
  EXPECT_EQ(options.data.directory, "d");
  EXPECT_TRUE(options.data.raw_pixels);
  EXPECT_EQ(options.model, "net");
  EXPECT_EQ(options.recipe.ShortDebugString(),
            "epochs: 3 batch_size: 64 optimizer: SGD lr: 0.5 weight_decay: 0.125 momentum: 0.25 "
            "nesterov: true label_smoothing: 0.1 clip_norm: 1.5 warmup_steps: 11");
  EXPECT_EQ(options.accumulate, 4);
  EXPECT_EQ(options.seed, 7U);
  EXPECT_EQ(options.max_steps, 9);
  EXPECT_FALSE(options.shuffle);
  EXPECT_EQ(options.init_from, "w.safetensors");
  EXPECT_EQ(options.run_dir, "r");
  EXPECT_EQ(options.threads, 2);
  EXPECT_EQ(options.augment, false);
  EXPECT_EQ(options.plots, PlotFormat::kSvg);
  EXPECT_TRUE(options.json);
  EXPECT_TRUE(options.quiet);
}

TEST(OptionsTest, EveryScheduleFlagArrives) {
  const auto options = parse_as<TrainOptions>(
      {"train", "--schedule", "one_cycle", "--step-size", "2", "--gamma", "0.5", "--eta-min",
       "0.25", "--pct-start", "0.75", "--div-factor", "10", "--final-div-factor", "100"});
  EXPECT_EQ(options.recipe.ShortDebugString(),
            "schedule: ONE_CYCLE step_size: 2 gamma: 0.5 eta_min: 0.25 pct_start: 0.75 "
            "div_factor: 10 final_div_factor: 100");
}

TEST(OptionsTest, EveryRecipeFieldButAugmentHasItsFlag) {
  const std::string help = std::get<HelpText>(parse({"train", "--help"})).text;
  const auto* recipe = v1::Recipe::descriptor();
  for (int i = 0; i < recipe->field_count(); ++i) {
    std::string name = recipe->field(i)->name();
    std::ranges::replace(name, '_', '-');
    EXPECT_THAT(help, HasSubstr("  --" + name));
  }
}

TEST(OptionsTest, EvaluateTakesItsCheckpoint) {
  const auto options =
      parse_as<EvaluateOptions>({"evaluate", "runs/latest", "--raw-pixels", "--json"});
  EXPECT_EQ(options.checkpoint, "runs/latest");
  EXPECT_EQ(options.model, "");
  EXPECT_TRUE(options.data.raw_pixels);
  EXPECT_TRUE(options.json);
}

TEST(OptionsTest, PredictTakesCheckpointAndImages) {
  const auto alone = parse_as<PredictOptions>({"predict", "run"});
  EXPECT_EQ(alone.checkpoint, "run");
  EXPECT_EQ(alone.images, "");
  EXPECT_EQ(alone.count, 40);
  EXPECT_EQ(alone.output, "predictions.png");
  const auto options = parse_as<PredictOptions>(
      {"predict", "--count", "5", "run", "images", "--labels", "l", "--output", "a.b/c.svg"});
  EXPECT_EQ(options.checkpoint, "run");
  EXPECT_EQ(options.images, "images");
  EXPECT_EQ(options.labels, "l");
  EXPECT_EQ(options.count, 5);
  EXPECT_EQ(options.output, "a.b/c.svg");
}

TEST(OptionsTest, ExportTakesAModel) {
  EXPECT_EQ(parse_as<ExportOptions>({"export", "--model", "best"}).model, "best");
}

TEST(OptionsTest, LastOfARepeatedFlagCounts) {
  EXPECT_EQ(parse_as<TrainOptions>({"train", "--epochs", "3", "--epochs=4"}).recipe.epochs(), 4);
  EXPECT_EQ(parse_as<TrainOptions>({"train", "--no-augment", "--augment"}).augment, true);
  EXPECT_EQ(parse_as<TrainOptions>({"train", "--augment", "--no-augment"}).augment, false);
}

TEST(OptionsTest, UnknownCommandGetsTheNearestName) {
  EXPECT_THAT(refusal({"trian"}), StartsWith("unknown command 'trian' (did you mean 'train'?)"));
  EXPECT_THAT(refusal({"frobnicate"}), Not(HasSubstr("did you mean")));
}

TEST(OptionsTest, MissingCommandIsNamed) {
  EXPECT_THAT(refusal({}), HasSubstr("train, evaluate, predict or export"));
  EXPECT_THAT(refusal({"--epochs", "5"}), HasSubstr("write convoy train --epochs"));
}

TEST(OptionsTest, UnknownOptionGetsTheNearestName) {
  EXPECT_THAT(refusal_of_train({"--epcohs", "5"}),
              StartsWith("unknown option '--epcohs' (did you mean '--epochs'?)"));
  EXPECT_THAT(refusal_of_train({"--batchsize=5"}),
              StartsWith("unknown option '--batchsize' (did you mean '--batch-size'?)"));
  EXPECT_THAT(refusal_of_train({"-epochs", "5"}),
              StartsWith("unknown option '-epochs' (did you mean '--epochs'?)"));
  EXPECT_THAT(refusal({"evaluate", "run", "--lr", "1"}), StartsWith("unknown option '--lr'"));
  EXPECT_THAT(refusal({"evaluate", "--jsno"}), StartsWith("unknown option '--jsno'"));
}

TEST(OptionsTest, UnknownWordGetsTheNearestOne) {
  EXPECT_EQ(refusal_of_train({"--dataset", "minst"}),
            "--dataset 'minst': must be one of mnist, fashion-mnist, synthetic (did you mean "
            "'mnist'?)");
  EXPECT_EQ(refusal_of_train({"--optimizer", "adamm"}),
            "--optimizer 'adamm': must be one of adam, adamw, sgd (did you mean 'adam'?)");
  EXPECT_THAT(refusal_of_train({"--schedule", "onecycle"}), HasSubstr("did you mean 'one_cycle'"));
}

TEST(OptionsTest, NumberOutOfRangeIsNamedWithTheRange) {
  EXPECT_EQ(refusal_of_train({"--epochs", "0"}),
            "--epochs '0': must be a whole number, 1 to 1000000");
  EXPECT_EQ(refusal_of_train({"--lr", "-1"}), "--lr '-1': must be a number, 0 to 1000");
  EXPECT_EQ(refusal_of_train({"--momentum", "1"}),
            "--momentum '1': must be a number, at least 0 and below 1");
  EXPECT_THAT(refusal_of_train({"--accumulate", "0"}), HasSubstr("1 to 1048576"));
  EXPECT_THAT(refusal_of_train({"--threads", "4097"}), HasSubstr("1 to 4096"));
  EXPECT_THAT(refusal_of_train({"--seed", "-1"}), StartsWith("--seed '-1': "));
  EXPECT_THAT(refusal_of_train({"--max-steps", "0"}), StartsWith("--max-steps '0': "));
  EXPECT_THAT(refusal({"predict", "run", "--count", "1001"}), HasSubstr("1 to 1000"));
}

TEST(OptionsTest, TextThatIsNoNumberIsNamed) {
  for (const char* text : {"five", "1.5", "1e3", "5x", " 5", "+5", "99999999999999999999"}) {
    EXPECT_THAT(refusal_of_train({std::string("--epochs=") + text}),
                StartsWith(std::string("--epochs '") + text + "': must be a whole number"));
  }
  for (const char* text : {"x", "nan", "inf", "0.1.2", "1e999"}) {
    EXPECT_THAT(refusal_of_train({std::string("--lr=") + text}),
                StartsWith(std::string("--lr '") + text + "': must be a number"));
  }
}

TEST(OptionsTest, StepSizeWithoutUpperBoundStaysWithinItsType) {
  EXPECT_EQ(parse_as<TrainOptions>({"train", "--step-size", "2147483647"}).recipe.step_size(),
            std::numeric_limits<std::int32_t>::max());
  EXPECT_THAT(refusal_of_train({"--step-size", "2147483648"}), HasSubstr("1 to 2147483647"));
}

TEST(OptionsTest, MissingValueIsAskedFor) {
  EXPECT_EQ(refusal_of_train({"--epochs"}), "--epochs needs a value: --epochs N");
  EXPECT_EQ(refusal_of_train({"--data", "--json"}), "--data needs a value: --data DIR");
  EXPECT_EQ(refusal_of_train({"--run-dir", ""}), "--run-dir needs a value: --run-dir DIR");
  EXPECT_EQ(refusal_of_train({"--model="}), "--model needs a value: --model NAME|FILE");
}

TEST(OptionsTest, SwitchTakesOnlyTrueOrFalse) {
  EXPECT_TRUE(parse_as<TrainOptions>({"train", "--json=true"}).json);
  EXPECT_FALSE(parse_as<TrainOptions>({"train", "--json=false"}).json);
  EXPECT_TRUE(parse_as<TrainOptions>({"train", "--no-shuffle=false"}).shuffle);
  EXPECT_EQ(refusal_of_train({"--json=maybe"}), "--json 'maybe': must be true or false");
}

TEST(OptionsTest, StrayAndMissingArgumentsAreNamed) {
  EXPECT_THAT(refusal_of_train({"mnist"}), HasSubstr("mnist"));
  EXPECT_THAT(refusal({"evaluate"}), HasSubstr("CHECKPOINT"));
  EXPECT_THAT(refusal({"evaluate", "one", "two"}), HasSubstr("two"));
}

TEST(OptionsTest, PredictWritesOnlyPngOrSvg) {
  EXPECT_EQ(refusal({"predict", "run", "--output", "a.jpg"}),
            "--output 'a.jpg': must end in .png or .svg");
}

TEST(OptionsTest, HelpIsAskedForAtEveryLevel) {
  EXPECT_THAT(std::get<HelpText>(parse({"--help"})).text, HasSubstr("convoy evaluate CHECKPOINT"));
  EXPECT_THAT(std::get<HelpText>(parse({"train", "--help"})).text,
              HasSubstr("  --batch-size N            Images per step"));
  EXPECT_THAT(std::get<HelpText>(parse({"predict", "-h"})).text,
              HasSubstr("Usage: convoy predict CHECKPOINT [IMAGES] [options]"));
  EXPECT_THAT(std::get<HelpText>(parse({"--version"})).text, StartsWith("convoy 0."));
}

TEST(OptionsTest, HelpFitsAnOrdinaryTerminal) {
  for (const char* command : {"train", "evaluate", "predict", "export"}) {
    std::istringstream help(std::get<HelpText>(parse({command, "--help"})).text);
    for (std::string line; std::getline(help, line);) {
      EXPECT_LE(line.size(), 80U) << line;
    }
  }
}

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
  testing::TemporaryDirectory directory_;
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
