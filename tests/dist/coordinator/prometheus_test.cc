#include "dist/coordinator/prometheus.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "tests/dist/coordinator/made_up_run.h"
#include "tests/support/temporary_directory.h"

namespace convoy::dist {
namespace {

/// Samples by name and labels, as they are written; refuses what the text format 0.0.4 does not
/// allow: a sample before its HELP and TYPE, a family in two places, a sample given twice.
std::map<std::string, double> parse(const std::string& text) {
  static const std::regex comment(R"(# (HELP|TYPE) ([a-z_:][a-z0-9_:]*) (.+))");
  static const std::string label = R"re([a-z_]+="([^"\\\n]|\\["\\n])*")re";
  static const std::regex sample("([a-z_:][a-z0-9_:]*)(\\{" + label + "(," + label +
                                 R"re()*\})? (\S+))re");
  std::map<std::string, double> samples;
  std::map<std::string, std::string> types;
  std::set<std::string> helped;
  std::string family;
  EXPECT_TRUE(text.ends_with('\n'));
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (std::regex_match(line, match, comment)) {
      if (match[1] == "HELP") {
        EXPECT_TRUE(helped.insert(match[2]).second) << "a family in two places: " << line;
        EXPECT_TRUE(std::string(match[3]).ends_with('.')) << line;
      } else {
        EXPECT_TRUE(match[3] == "gauge" || match[3] == "counter") << line;
        family = match[2];
        EXPECT_TRUE(helped.contains(family)) << line;
        types[family] = match[3];
        EXPECT_EQ(family.ends_with("_total"), match[3] == "counter") << line;
      }
      continue;
    }
    if (!std::regex_match(line, match, sample)) {
      ADD_FAILURE() << "no sample: " << line;
      continue;
    }
    EXPECT_EQ(match[1], family) << "under another family: " << line;
    std::size_t end = 0;
    const double value = std::stod(match[6], &end);
    EXPECT_EQ(end, match[6].length()) << line;
    EXPECT_TRUE(samples.emplace(match[1].str() + match[2].str(), value).second) << line;
  }
  return samples;
}

class PrometheusTest : public ::testing::Test {
 protected:
  testing::TemporaryDirectory directory_;
  testing::MadeUpClock clock_{std::chrono::system_clock::now()};
  Coordinator coordinator_{
      {.database = directory_.path() / "coordinator.db", .clock = [this] { return clock_.now(); }}};
};

TEST_F(PrometheusTest, AnEmptyCoordinatorCountsItsRunsByState) {
  const auto samples = parse(prometheus_text(coordinator_));
  EXPECT_EQ(samples.size(), 6);
  EXPECT_EQ(samples.at(R"(convoy_coordinator_runs{state="running"})"), 0);
}

TEST_F(PrometheusTest, ARunIsToldInBaseUnits) {
  testing::MadeUpRun run(coordinator_, clock_, {.images = 1000, .batch_size = 100});
  run.take_steps(24);
  const auto samples = parse(prometheus_text(coordinator_));
  EXPECT_EQ(samples.at(R"(convoy_run_steps_total{run="mnist"})"), 24);
  EXPECT_EQ(samples.at(R"(convoy_run_planned_steps{run="mnist"})"), 150);
  EXPECT_EQ(samples.at(R"(convoy_run_epoch{run="mnist"})"), 3);
  EXPECT_EQ(samples.at(R"(convoy_run_alive_ranks{run="mnist"})"), 4);
  EXPECT_EQ(samples.at(R"(convoy_run_state{run="mnist",state="running"})"), 1);
  EXPECT_EQ(samples.at(R"(convoy_run_state{run="mnist",state="failed"})"), 0);
  EXPECT_NEAR(samples.at(R"(convoy_run_accuracy_ratio{run="mnist",part="last_test"})"),
              static_cast<double>(run.last_epoch().test().correct()) / 10'000, 1e-9);
  EXPECT_NEAR(samples.at(R"(convoy_run_loss{run="mnist",part="epoch_so_far"})"),
              run.so_far().loss_sum() / 400, 1e-9);
  // 126 steps of 11 ms and a little.
  EXPECT_NEAR(samples.at(R"(convoy_run_remaining_seconds{run="mnist"})"), 126 * 0.0114, 0.05);
}

TEST_F(PrometheusTest, TextFromOutsideIsEscaped) {
  const testing::MadeUpRun run(coordinator_, clock_,
                               {.model = "a\"b\\c", .images = 1000, .batch_size = 100});
  const auto samples = parse(prometheus_text(coordinator_));
  EXPECT_TRUE(samples.contains(
      R"(convoy_run_info{run="mnist",model="a\"b\\c",dataset="mnist",version="0.1.0"})"));
}

TEST_F(PrometheusTest, ManyEndedRunsMakeNoMoreSeries) {
  const auto series_with = [&](int from, int to) {
    for (int i = from; i < to; ++i) {
      testing::MadeUpRun run(coordinator_, clock_,
                             {.run = "run-" + std::to_string(i), .images = 100, .ranks = 1});
      run.finish(v1::RUN_STATE_SUCCEEDED, "");
      clock_.advance(std::chrono::seconds(1));
    }
    return parse(prometheus_text(coordinator_));
  };
  testing::MadeUpRun going(coordinator_, clock_, {.images = 100, .ranks = 1});
  clock_.advance(std::chrono::seconds(1));
  const std::size_t hundred = series_with(0, 99).size();
  const auto more = series_with(99, 150);
  EXPECT_EQ(more.size(), hundred);
  EXPECT_TRUE(more.contains(R"(convoy_run_steps_total{run="mnist"})")) << "it goes on";
  EXPECT_TRUE(more.contains(R"(convoy_run_steps_total{run="run-149"})")) << "the newest";
  EXPECT_FALSE(more.contains(R"(convoy_run_steps_total{run="run-0"})"));
  EXPECT_EQ(more.at(R"(convoy_coordinator_runs{state="succeeded"})"), 150);
}

}  // namespace
}  // namespace convoy::dist
