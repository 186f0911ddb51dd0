#include "launcher/tensorboard/summaries.h"

#include <gtest/gtest.h>

#include <array>

#include "core/base/check.h"
#include "launcher/json.h"
#include "launcher/recipe.h"

namespace convoy::launcher {
namespace {

using v1::tensorboard::Event;
using v1::tensorboard::HParamsPluginData;

std::chrono::system_clock::time_point at(std::int64_t seconds) {
  return std::chrono::system_clock::time_point(std::chrono::seconds(seconds));
}

HParamsPluginData hparams_of(const Event& event, const std::string& tag) {
  EXPECT_EQ(event.summary().value(0).tag(), tag);
  const auto& plugin = event.summary().value(0).metadata().plugin_data();
  EXPECT_EQ(plugin.plugin_name(), "hparams");
  HParamsPluginData data;
  EXPECT_TRUE(data.ParseFromString(plugin.content()));
  return data;
}

TEST(SummariesTest, ScalarsKeepTheirTagsAndTheStep) {
  const Event event =
      scalars_event(7, std::array<Scalar, 2>{{{"train/loss", 0.5}, {"learning_rate", 0.25}}});
  EXPECT_EQ(event.step(), 7);
  ASSERT_EQ(event.summary().value_size(), 2);
  EXPECT_EQ(event.summary().value(0).tag(), "train/loss");
  EXPECT_EQ(event.summary().value(0).simple_value(), 0.5F);
  EXPECT_EQ(event.summary().value(1).tag(), "learning_rate");
  EXPECT_EQ(event.summary().value(1).simple_value(), 0.25F);
}

TEST(SummariesTest, HyperParametersAreWhatCanChangeTheResult) {
  TrainOptions options;
  options.recipe.set_lr(0.125);
  options.recipe.mutable_augment()->set_shift(2);
  options.threads = 3;
  options.data.directory = "somewhere";
  const auto data = hparams_of(hyper_parameters_event(config_text(options), at(5)),
                               "_hparams_/session_start_info");
  const auto& hparams = data.session_start_info().hparams();
  EXPECT_EQ(data.session_start_info().start_time_secs(), 5.0);
  EXPECT_EQ(hparams.at("lr").number_value(), 0.125);
  EXPECT_EQ(hparams.at("augment.shift").number_value(), 2.0);
  EXPECT_EQ(hparams.at("model").string_value(), "tutorial");
  EXPECT_EQ(hparams.at("shuffle").bool_value(), true);
  for (const char* absent : {"data", "threads", "init_from", "max_steps", "convoy"}) {
    EXPECT_EQ(hparams.count(absent), 0U) << absent;
  }
}

TEST(SummariesTest, SuccessIsAStatusOfTheHyperParameters) {
  const auto data = hparams_of(success_event(at(9)), "_hparams_/session_end_info");
  EXPECT_EQ(data.session_end_info().status(), v1::tensorboard::STATUS_SUCCESS);
  EXPECT_EQ(data.session_end_info().end_time_secs(), 9.0);
}

TEST(SummariesTest, AnImageSaysItsSize) {
  std::string png("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\x02\0\0\0\x03", 24);
  png += "rest";
  const Event event = image_event(4, "predictions", png);
  EXPECT_EQ(event.summary().value(0).image().width(), 258);
  EXPECT_EQ(event.summary().value(0).image().height(), 3);
  EXPECT_EQ(event.summary().value(0).image().encoded_image_string(), png);
}

TEST(SummariesTest, WhatIsNoPngIsRefused) {
  EXPECT_THROW(image_event(0, "x", ""), Error);
  EXPECT_THROW(image_event(0, "x", "\x89PNG\r\n\x1a\n"), Error);
  EXPECT_THROW(image_event(0, "x", "<svg>              and so on, and so on </svg>"), Error);
}

}  // namespace
}  // namespace convoy::launcher
