#include "launcher/recipe.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "launcher/model_file.h"
#include "launcher/options.h"

namespace convoy::launcher {
namespace {

using ::testing::HasSubstr;

v1::Recipe recipe(const std::string& text) {
  v1::Recipe recipe;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &recipe)) << text;
  return recipe;
}

std::string resolved(const std::string& model, const std::string& flags,
                     std::optional<bool> augment = std::nullopt) {
  return resolve_recipe(recipe(model), recipe(flags), augment).ShortDebugString();
}

std::string refusal(const std::string& model, const std::string& flags) {
  try {
    resolve_recipe(recipe(model), recipe(flags), std::nullopt);
  } catch (const UsageError& error) {
    return error.what();
  }
  ADD_FAILURE() << "nothing was refused";
  return "";
}

TEST(RecipeTest, DefaultsAreTheTutorials) {
  EXPECT_EQ(resolved("", ""),
            "epochs: 15 batch_size: 32 optimizer: ADAM lr: 0.001 weight_decay: 0 "
            "label_smoothing: 0 clip_norm: 0 schedule: CONSTANT warmup_steps: 0");
}

TEST(RecipeTest, FlagsWinOverTheModelAndTheModelOverDefaults) {
  EXPECT_EQ(resolved("epochs: 3 lr: 0.5", "lr: 0.25 batch_size: 64"),
            "epochs: 3 batch_size: 64 optimizer: ADAM lr: 0.25 weight_decay: 0 "
            "label_smoothing: 0 clip_norm: 0 schedule: CONSTANT warmup_steps: 0");
}

TEST(RecipeTest, OptimizerDecidesOnItsOwnDefaults) {
  EXPECT_THAT(resolved("", "optimizer: ADAMW"), HasSubstr("weight_decay: 0.01"));
  EXPECT_THAT(resolved("", "optimizer: ADAMW weight_decay: 0"), HasSubstr("weight_decay: 0 "));
  EXPECT_THAT(resolved("", "optimizer: SGD"), HasSubstr("momentum: 0 nesterov: false"));
}

TEST(RecipeTest, ScheduleDecidesOnItsOwnDefaults) {
  EXPECT_THAT(resolved("", "schedule: STEP step_size: 2"), HasSubstr("step_size: 2 gamma: 0.1"));
  EXPECT_THAT(resolved("", "schedule: COSINE"), HasSubstr("eta_min: 0"));
  EXPECT_THAT(resolved("", "schedule: ONE_CYCLE div_factor: 10"),
              HasSubstr("pct_start: 0.3 div_factor: 10 final_div_factor: 10000"));
}

TEST(RecipeTest, WhatTheModelSaysForAnotherOptimizerOrScheduleFades) {
  EXPECT_EQ(resolved("optimizer: SGD momentum: 0.9 nesterov: true schedule: STEP step_size: 2",
                     "optimizer: ADAM schedule: CONSTANT"),
            resolved("", ""));
}

TEST(RecipeTest, FlagWithoutEffectIsRefused) {
  EXPECT_EQ(refusal("", "momentum: 0.9"), "--momentum is for --optimizer sgd; this run's is adam");
  EXPECT_EQ(refusal("optimizer: ADAMW", "nesterov: true"),
            "--nesterov is for --optimizer sgd; this run's is adamw");
  EXPECT_THAT(refusal("", "gamma: 0.5"), HasSubstr("--schedule step"));
  EXPECT_THAT(refusal("schedule: COSINE", "step_size: 5"), HasSubstr("--schedule step"));
  EXPECT_THAT(refusal("", "eta_min: 0.5"), HasSubstr("--schedule cosine"));
  EXPECT_THAT(refusal("", "pct_start: 0.5"), HasSubstr("--schedule one_cycle"));
}

TEST(RecipeTest, MissingPartnerIsAskedFor) {
  EXPECT_THAT(refusal("", "optimizer: SGD nesterov: true"), HasSubstr("needs a --momentum"));
  EXPECT_THAT(refusal("", "schedule: STEP"), HasSubstr("needs --step-size"));
}

TEST(RecipeTest, AugmentationIsTheModelsUnlessAFlagSaysOtherwise) {
  const std::string own = "augment { shift: 1 }";
  EXPECT_THAT(resolved(own, ""), HasSubstr("augment { shift: 1 }"));
  EXPECT_THAT(resolved(own, "", true), HasSubstr("augment { shift: 1 }"));
  EXPECT_EQ(resolved(own, "", false), resolved("", ""));
  EXPECT_THAT(resolved("", "", true), HasSubstr("augment { shift: 2 rotation: 10 scale: 0.1 }"));
}

TEST(RecipeTest, ResolvingAgainChangesNothing) {
  for (const char* model : {"tutorial", "lenet5", "best"}) {
    const v1::Recipe once = resolve_recipe(load_model(model).model.recipe(), {}, std::nullopt);
    EXPECT_EQ(resolve_recipe(once, {}, std::nullopt).ShortDebugString(), once.ShortDebugString());
  }
}

}  // namespace
}  // namespace convoy::launcher
