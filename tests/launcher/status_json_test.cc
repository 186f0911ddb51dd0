#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "launcher/status_report.h"
#include "tests/launcher/status_sample.h"

namespace convoy::launcher {
namespace {

using Json = nlohmann::json;
using testing::sample_rank;
using testing::sample_report;

TEST(StatusJsonTest, NamesAreThoseOfTheSchema) {
  const Json json = Json::parse(status_json(sample_report(), {}));
  EXPECT_EQ(json["source"], "coordinator");
  EXPECT_EQ(json["run"]["state"], "RUN_STATE_RUNNING");
  EXPECT_EQ(json["run"]["spec"]["world_size"], 4);
  EXPECT_EQ(json["run"]["step"], "4312");
  EXPECT_EQ(json["run"]["lost_steps"], "0");  // zeros are there too
  EXPECT_EQ(json["run"]["remaining"], "125s");
  EXPECT_EQ(json["events"].size(), 2);
  EXPECT_FALSE(json.contains("ranks"));
  EXPECT_FALSE(json.contains("epochs"));
}

TEST(StatusJsonTest, PartsAreThereIfAskedForThoughEmpty) {
  StatusReport report = sample_report();
  report.ranks = {sample_rank(0, true)};
  const Json json = Json::parse(status_json(report, {.ranks = true, .history = true}));
  EXPECT_EQ(json["ranks"][0]["info"]["host"], "node1");
  EXPECT_TRUE(json["epochs"].empty() && json["epochs"].is_array());
}

TEST(StatusJsonTest, RunsAreAList) {
  const Json json = Json::parse(status_json(std::vector{sample_report(), sample_report()}));
  EXPECT_EQ(json["runs"].size(), 2);
  EXPECT_EQ(json["runs"][1]["run"]["epoch"], "3");
  EXPECT_EQ(Json::parse(status_json(std::vector<StatusReport>{}))["runs"], Json::array());
}

TEST(StatusJsonTest, TextOfOthersStaysInItsLineAndCommandsNoTerminal) {
  StatusReport report = sample_report();
  report.run.set_state_reason("\x1b[2J\n\xC2\x9B\x7F\xE2\x80\xAE");
  report.note = "\x1b\xFF";
  const std::string text = status_json(report, {});
  for (const char c : text) {
    EXPECT_TRUE(c >= ' ' && c < 0x7F) << static_cast<int>(c);
  }
  EXPECT_EQ(Json::parse(text)["run"]["state_reason"], report.run.state_reason());
}

}  // namespace
}  // namespace convoy::launcher
