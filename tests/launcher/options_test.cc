#include "launcher/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "tests/launcher/command_line.h"

namespace convoy::launcher {
namespace {

using ::testing::HasSubstr;
using testing::parse;
using testing::parse_as;
using ::testing::StartsWith;

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

TEST(OptionsTest, PrecisionIsAWordOfTheRecipe) {
  EXPECT_EQ(parse_as<TrainOptions>({"train", "--precision", "bf16"}).recipe.ShortDebugString(),
            "precision: BF16");
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

}  // namespace
}  // namespace convoy::launcher
