#include "dist/coordinator/web/prometheus.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>

#include "tests/dist/coordinator/web/made_up_run.h"
#include "tests/support/temporary_directory.h"

namespace convoy::dist {
namespace {

constexpr std::string_view kNameLetters = "abcdefghijklmnopqrstuvwxyz0123456789_";

/// Takes a name off the front of `line`.
std::string_view take_name(std::string_view& line) {
  const std::string_view name = line.substr(0, line.find_first_not_of(kNameLetters));
  line.remove_prefix(name.size());
  return name;
}

/// Takes {name="text",...} off the front, if it is there; false if it is not well formed.
bool take_labels(std::string_view& line) {
  if (!line.starts_with('{')) {
    return true;
  }
  do {
    line.remove_prefix(1);
    if (take_name(line).empty() || !line.starts_with("=\"")) {
      return false;
    }
    line.remove_prefix(2);
    while (!line.empty() && line[0] != '"') {
      const bool escaped = line[0] == '\\';
      if (escaped && (line.size() < 2 || std::string_view("\"\\n").find(line[1]) == line.npos)) {
        return false;
      }
      line.remove_prefix(escaped ? 2 : 1);
    }
    line.remove_prefix(std::min<std::size_t>(1, line.size()));
  } while (line.starts_with(','));
  const bool closed = line.starts_with('}');
  line.remove_prefix(closed ? 1 : 0);
  return closed;
}

/// Samples by name and labels, as they are written; fails at what the text format 0.0.4 does not
/// allow: a sample before its HELP and TYPE, a family in two places, a sample given twice.
std::map<std::string, double> parse(const std::string& text) {
  std::map<std::string, double> samples;
  std::set<std::string> helped;
  std::string family;
  EXPECT_TRUE(text.ends_with('\n'));
  std::istringstream lines(text);
  for (std::string whole; std::getline(lines, whole);) {
    std::string_view line = whole;
    if (line.starts_with("# ")) {
      const bool help = line.starts_with("# HELP ");
      EXPECT_TRUE(help || line.starts_with("# TYPE ")) << whole;
      line.remove_prefix(7);
      const std::string name(take_name(line));
      if (help) {
        EXPECT_TRUE(helped.insert(name).second) << "a family in two places: " << whole;
        EXPECT_TRUE(line.starts_with(' ') && line.ends_with('.')) << whole;
      } else {
        family = name;
        EXPECT_TRUE(helped.contains(family)) << whole;
        EXPECT_EQ(line, family.ends_with("_total") ? " counter" : " gauge") << whole;
      }
      continue;
    }
    EXPECT_EQ(take_name(line), family) << "under another family: " << whole;
    EXPECT_TRUE(take_labels(line)) << whole;
    const std::string sample = whole.substr(0, whole.size() - line.size());
    const std::string number(line.substr(std::min<std::size_t>(1, line.size())));
    char* end = nullptr;
    const double value = std::strtod(number.c_str(), &end);
    EXPECT_TRUE(line.starts_with(' ') && !number.empty() && *end == '\0') << whole;
    EXPECT_TRUE(samples.emplace(sample, value).second) << "given twice: " << whole;
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
