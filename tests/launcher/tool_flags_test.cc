#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "launcher/options.h"

namespace convoy::launcher {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Command parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "convoy");
  return parse_command_line(static_cast<int>(arguments.size()), arguments.data());
}

std::string refusal(const std::vector<const char*>& arguments) {
  try {
    parse(arguments);
  } catch (const UsageError& error) {
    return error.what();
  }
  ADD_FAILURE() << "nothing was refused";
  return "";
}

TEST(ToolFlagsTest, DoctorTakesAPlan) {
  const auto options =
      std::get<DoctorOptions>(parse({"doctor", "-n", "3", "--threads", "2", "--json"}));
  EXPECT_EQ(options.ranks, 3);
  EXPECT_EQ(options.threads, 2);
  EXPECT_TRUE(options.json);
  EXPECT_EQ(std::get<DoctorOptions>(parse({"doctor"})).ranks, std::nullopt);
  EXPECT_THAT(refusal({"doctor", "-n", "0"}), HasSubstr("--ranks '0': must be a whole number"));
}

TEST(ToolFlagsTest, ScalingTakesWhatItMeasuresAndPredicts) {
  const auto options = std::get<BenchScalingOptions>(parse({"bench",
                                                            "scaling",
                                                            "--ranks",
                                                            "4",
                                                            "--model",
                                                            "lenet5",
                                                            "--batch-per-rank",
                                                            "8",
                                                            "--batch-size",
                                                            "64",
                                                            "--threads",
                                                            "2",
                                                            "--steps",
                                                            "20",
                                                            "--rounds",
                                                            "5",
                                                            "--hosts",
                                                            "16",
                                                            "--latency-us",
                                                            "100",
                                                            "--bandwidth-gbit",
                                                            "0.1",
                                                            "--message-us",
                                                            "2",
                                                            "--hostfile",
                                                            "h",
                                                            "--json",
                                                            "--quiet",
                                                            "--",
                                                            "--overlap",
                                                            "off"}));
  EXPECT_EQ(options.ranks, 4);
  EXPECT_EQ(options.model, "lenet5");
  EXPECT_EQ(options.batch_per_rank, 8);
  EXPECT_EQ(options.batch_size, 64);
  EXPECT_EQ(options.threads, 2);
  EXPECT_EQ(options.steps, 20);
  EXPECT_EQ(options.rounds, 5);
  EXPECT_EQ(options.hosts, 16);
  EXPECT_EQ(options.latency_us, 100);
  EXPECT_EQ(options.bandwidth_gbit, 0.1);
  EXPECT_EQ(options.message_us, 2);
  EXPECT_EQ(options.hostfile, "h");
  EXPECT_TRUE(options.json);
  EXPECT_TRUE(options.quiet);
  EXPECT_THAT(options.train_options, ElementsAre("--overlap", "off"));
}

TEST(ToolFlagsTest, BenchSaysWhatThereIsToMeasure) {
  EXPECT_THAT(refusal({"bench"}), HasSubstr("convoy bench scaling"));
  EXPECT_THAT(refusal({"bench", "speed"}), HasSubstr("convoy bench scaling"));
  EXPECT_THAT(refusal({"bench"}), HasSubstr("convoy bench coordinator"));
  EXPECT_THAT(refusal({"bench", "coordinator", "--workers", "0"}), HasSubstr("--workers '0'"));
  EXPECT_EQ(std::get<BenchCoordinatorOptions>(parse({"bench", "coordinator"})).workers.size(), 3U);
  EXPECT_THAT(refusal({"bench", "scaling", "--steps", "10"}), HasSubstr("--steps '10'"));
  EXPECT_THAT(std::get<HelpText>(parse({"bench", "scaling", "--help"})).text,
              HasSubstr("convoy bench scaling [TRAIN_OPTIONS] [options]"));
}

}  // namespace
}  // namespace convoy::launcher
