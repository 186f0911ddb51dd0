#include "launcher/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "launcher/recipe.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

namespace convoy::launcher {
namespace {

using ::testing::HasSubstr;

TEST(MetricsJsonTest, EpochIsOneObject) {
  const EpochMetrics epoch = {.epoch = 2,
                              .train_loss = 0.5,
                              .train_accuracy = 0.75,
                              .test_loss = 0.25,
                              .test_accuracy = 0.875,
                              .images_per_second = 1000.5,
                              .seconds = std::chrono::duration<double>(1.5)};
  EXPECT_EQ(to_json(epoch).dump(),
            R"({"epoch":2,"train_loss":0.5,"train_accuracy":0.75,"test_loss":0.25,)"
            R"("test_accuracy":0.875,"images_per_second":1000.5,"seconds":1.5})");
}

TEST(MetricsJsonTest, WhatIsNotFiniteIsNull) {
  EXPECT_THAT(to_json(EpochMetrics{.epoch = 1, .train_loss = INFINITY}).dump(),
              HasSubstr(R"("train_loss":null,"train_accuracy":null)"));
}

class MetricsFileTest : public ::testing::Test {
 protected:
  void write(const std::string& text) { std::ofstream(path_) << text; }

  testing::TemporaryDirectory directory_;
  std::filesystem::path path_ = directory_.path() / "metrics.jsonl";
};

TEST_F(MetricsFileTest, ReadsWhatWasWritten) {
  const EpochMetrics first = {.epoch = 1, .train_loss = 0.1, .train_accuracy = 1.0 / 3};
  const EpochMetrics second = {.epoch = 2, .images_per_second = 5};
  write(to_json(first).dump() + "\n" + to_json(second).dump() + "\n");
  const std::vector<EpochMetrics> epochs = read_metrics(path_);
  ASSERT_EQ(epochs.size(), 2U);
  EXPECT_EQ(epochs[0].train_accuracy, 1.0 / 3);
  EXPECT_TRUE(std::isnan(epochs[0].test_loss));
  EXPECT_EQ(epochs[1].epoch, 2);
  EXPECT_EQ(epochs[1].images_per_second, 5);
}

TEST_F(MetricsFileTest, DamagedLineIsNamed) {
  write(to_json(EpochMetrics{}).dump() + "\n{\"epoch\": 2, \"train");
  testing::expect_error([&] { read_metrics(path_); },
                        path_.string() + ":2: not an epoch's metrics");
  for (const char* epoch : {"\"two\"", "-1", "1e300", "2.5", "null", "4294967296"}) {
    write(fmt::format("{{\"epoch\": {}}}\n", epoch));
    testing::expect_error([&] { read_metrics(path_); }, ":1: not an epoch's metrics");
  }
  testing::expect_error([&] { read_metrics("no/such"); }, "cannot read no/such");
}

TrainOptions some_options() {
  TrainOptions options;
  options.data = {
      .dataset = DatasetName::kSynthetic, .directory = "some/where", .raw_pixels = true};
  options.model = "net.textproto";
  options.recipe = resolve_recipe({}, {}, true);
  options.accumulate = 3;
  options.seed = 9007199254740991;
  options.max_steps = 12;
  options.shuffle = false;
  options.init_from = "w.safetensors";
  options.threads = 2;
  options.distributed.reproducible = true;
  options.distributed.micro_shards = 16;
  options.distributed.reduce.bf16 = true;
  options.distributed.on_nan = dist::OnNan::kSkip;
  options.checkpoint_every = 7;
  options.keep = {.last = 5, .best = 0};
  return options;
}

TEST(ConfigJsonTest, ReadsWhatWasWritten) {
  const TrainOptions options = some_options();
  const TrainOptions read = parse_config(config_text(options), "config.json");
  EXPECT_EQ(config_text(read), config_text(options));
  EXPECT_EQ(read.data.dataset, options.data.dataset);
  EXPECT_EQ(read.data.directory, options.data.directory);
  EXPECT_EQ(read.data.raw_pixels, options.data.raw_pixels);
  EXPECT_EQ(read.model, options.model);
  EXPECT_EQ(read.recipe.ShortDebugString(), options.recipe.ShortDebugString());
  EXPECT_EQ(read.accumulate, options.accumulate);
  EXPECT_EQ(read.seed, options.seed);
  EXPECT_EQ(read.max_steps, options.max_steps);
  EXPECT_EQ(read.shuffle, options.shuffle);
  EXPECT_EQ(read.init_from, options.init_from);
  EXPECT_EQ(read.threads, options.threads);
  EXPECT_EQ(read.distributed.reproducible, options.distributed.reproducible);
  EXPECT_EQ(read.distributed.micro_shards, options.distributed.micro_shards);
  EXPECT_EQ(read.distributed.reduce.bf16, options.distributed.reduce.bf16);
  EXPECT_EQ(read.distributed.on_nan, options.distributed.on_nan);
  EXPECT_EQ(read.checkpoint_every, options.checkpoint_every);
  EXPECT_EQ(read.keep.last, 5);
  EXPECT_EQ(read.keep.best, 0);
}

TEST(ConfigJsonTest, AbsentValuesStayAbsent) {
  const TrainOptions read = parse_config(config_text({}), "config.json");
  EXPECT_EQ(read.max_steps, std::nullopt);
  EXPECT_EQ(read.threads, std::nullopt);
  EXPECT_EQ(read.data.dataset, DatasetName::kMnist);
}

TEST(ConfigJsonTest, PathThatIsNotUtf8IsWrittenAllTheSame) {
  TrainOptions options;
  options.run_dir = options.init_from = "w\xFF.safetensors";
  EXPECT_THAT(config_text(options), HasSubstr("w\xEF\xBF\xBD.safetensors"));
}

TEST(ConfigJsonTest, DamageIsRefusedWithTheFilesName) {
  const auto refuse = [](const std::string& text, const std::string& part) {
    testing::expect_error([&] { parse_config(text, "run/config.json"); },
                          "run/config.json: ", part);
  };
  const std::string good = config_text(some_options());
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    EXPECT_NE(text.find(from), text.npos);
    return text.replace(text.find(from), from.size(), to);
  };
  refuse("", "not a run's config.json");
  refuse(good.substr(0, good.size() / 2), "not a run's config.json");
  refuse("[]", "not a run's config.json");
  refuse(changed("\"seed\"", "\"sede\""), "unknown option 'sede' (did you mean 'seed'?)");
  refuse(changed("\"synthetic\"", "\"imagenet\""), "'imagenet' is none that this convoy knows");
  refuse(changed("\"shuffle\": false", "\"shuffle\": 3"), "not a run's config.json");
  refuse(changed("\"micro_shards\": 16", "\"micro_shards\": 0"), "micro_shards: 0 is not in 1");
  refuse(changed("\"skip\"", "\"skp\""), "must be one of stop, skip, rollback");
  refuse(changed("\"lr\": 0.001", "\"lr\": \"fast\""), "recipe");
  refuse(changed("\"batch_size\": 32", "\"batch_size\": 0"), "batch_size 0 must be 1 to 1048576");
  refuse(changed("\"lr\": 0.001", "\"lr\": \"NaN\""), "recipe: lr nan must be 0 to 1000");
  refuse(changed("\"threads\": 2", "\"threads\": 0"), "must be at least 1");
  refuse(changed("\"threads\": 2", "\"threads\": 1e300"), "threads must be a whole number");
  refuse(changed("\"seed\": 9007199254740991", "\"seed\": -1"), "seed must be a whole number");
  refuse(changed("\"accumulate\": 3", "\"accumulate\": 99999999999999999999"), "accumulate");
  refuse(std::string(100'000, '[') + std::string(100'000, ']'), "config.json");
}

}  // namespace
}  // namespace convoy::launcher
