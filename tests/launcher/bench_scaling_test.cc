#include "launcher/bench_scaling.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/expect_error.h"

namespace convoy::launcher {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kRun =
    R"({"run_dir":"r","world_size":2,"threads":1,"steps":50,"images_per_second":800.0,)"
    R"("step_seconds":0.08,"communication":{"overlap":"poll","gradient_bytes":5000000,"buckets":7,"seconds_per_step":0.03,)"
    R"("exposed_seconds_per_step":0.01,"hidden_share":0.67,"imbalance":1.05},"epochs":[]})";

RunFigures run_of(int ranks, double images_per_second) {
  return {.ranks = ranks,
          .threads = 1,
          .images_per_second = images_per_second,
          .step_seconds = 0.1,
          .communication_seconds = 0.04,
          .exposed_seconds = 0.02};
}

TEST(BenchScalingTest, FiguresAreReadFromTheLastObject) {
  const RunFigures run = parse_run(std::string("a line\n{\"x\":1}\n") + kRun + "\n", 64);
  EXPECT_EQ(run.ranks, 2);
  EXPECT_EQ(run.images_per_second, 800.0);
  EXPECT_EQ(run.step_seconds, 0.08);
  EXPECT_EQ(run.communication_seconds, 0.03);
  EXPECT_EQ(run.exposed_seconds, 0.01);
  EXPECT_EQ(run.gradient_bytes, 5000000);
  EXPECT_EQ(run.buckets, 7);
  EXPECT_EQ(run.overlap, "poll");
  EXPECT_EQ(run.imbalance, 1.05);
}

TEST(BenchScalingTest, AStepThatIsNotToldIsComputedFromTheSpeed) {
  const RunFigures run = parse_run(R"({"world_size":1,"threads":1,"images_per_second":320})", 32);
  EXPECT_DOUBLE_EQ(run.step_seconds, 0.1);
  EXPECT_EQ(run.communication_seconds, 0.0);
  EXPECT_EQ(run.imbalance, std::nullopt);
}

TEST(BenchScalingTest, OutputWithoutFiguresIsRefused) {
  testing::expect_error([] { parse_run("", 32); }, "no figures");
  testing::expect_error([] { parse_run("{\"images_per_second\": ", 32); }, "no figures");
  testing::expect_error([] { parse_run(R"({"world_size":1,"images_per_second":0})", 32); },
                        "first ten steps");
  testing::expect_error([] { parse_run(R"({"world_size":1,"images_per_second":null})", 32); },
                        "--steps");
}

TEST(BenchScalingTest, EveryRankGetsItsBatchOrAShareOfTheGlobalOne) {
  BenchScalingOptions options = {.batch_per_rank = 16};
  EXPECT_EQ(global_batch(options, 3), 48);
  options.batch_size = 100;
  EXPECT_EQ(global_batch(options, 3), 100);
}

TEST(BenchScalingTest, TheCommandTrainsOnSoManyRanks) {
  const BenchScalingOptions options = {
      .hostfile = "hosts", .steps = 20, .train_options = {"--overlap", "off"}};
  const auto one = train_command(options, "/bin/convoy", 1, "/tmp/r");
  EXPECT_THAT(one, Not(Contains("--ranks")));
  const auto command = train_command(options, "/bin/convoy", 3, "/tmp/r");
  EXPECT_THAT(command,
              ElementsAre("/bin/convoy", "train", "--ranks", "3", "--hostfile", "hosts",
                          "--dataset", "synthetic", "--model", "tutorial", "--batch-size", "96",
                          "--threads", "1", "--max-steps", "20", "--epochs", "1000", "--plots",
                          "none", "--quiet", "--json", "--run-dir", "/tmp/r", "--overlap", "off"));
}

TEST(BenchScalingTest, ManyRanksAreMeasuredByPowersOfTwo) {
  EXPECT_THAT(rank_counts(1), ElementsAre(1));
  EXPECT_THAT(rank_counts(4), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(rank_counts(12), ElementsAre(1, 2, 4, 8, 12));
  EXPECT_THAT(rank_counts(16), ElementsAre(1, 2, 4, 8, 16));
}

TEST(BenchScalingTest, SpeedUpIsOfMedians) {
  const auto rows = scaling_rows({{run_of(1, 90), run_of(1, 100), run_of(1, 500)},
                                  {run_of(2, 150), run_of(2, 1), run_of(2, 180)}},
                                 2);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].images_per_second, 100);
  EXPECT_EQ(rows[1].slowest, 1);
  EXPECT_EQ(rows[1].fastest, 180);
  EXPECT_DOUBLE_EQ(rows[1].speed_up.value_or(0), 1.5);
  EXPECT_DOUBLE_EQ(rows[1].efficiency.value_or(0), 0.75);
  EXPECT_DOUBLE_EQ(rows[1].communication_share, 0.2);
  EXPECT_DOUBLE_EQ(rows[1].hidden_share, 0.5);
}

TEST(BenchScalingTest, NothingIsClaimedWithMoreRanksThanCores) {
  const auto rows = scaling_rows({{run_of(1, 100)}, {run_of(2, 190)}, {run_of(3, 200)}}, 2);
  EXPECT_TRUE(rows[1].speed_up);
  EXPECT_FALSE(rows[2].speed_up);
  EXPECT_FALSE(rows[2].efficiency);
  EXPECT_THAT(scaling_text({.cores = 2, .rows = rows}),
              HasSubstr("more ranks than cores: not a measure of scaling"));
  EXPECT_TRUE(
      nlohmann::json::parse(scaling_json({.rows = rows}))["measured"][2]["speed_up"].is_null());
  // Of other hosts the cores are not known.
  EXPECT_TRUE(scaling_rows({{run_of(1, 100)}, {run_of(3, 200)}}, std::nullopt)[1].speed_up);
}

TEST(BenchScalingTest, ThreadsCountAsCoresTaken) {
  RunFigures two = run_of(2, 190);
  two.threads = 2;
  EXPECT_FALSE(scaling_rows({{run_of(1, 100)}, {two}}, 2)[1].speed_up);
}

TEST(BenchScalingTest, ThePredictionStartsFromOneRanksStepAndTheGradientsBytes) {
  RunFigures three = run_of(3, 300);
  three.gradient_bytes = 4e6;
  three.buckets = 4;
  const auto workload = workload_of({{run_of(1, 64)}, {three}}, 32);
  ASSERT_TRUE(workload);
  EXPECT_DOUBLE_EQ(workload->compute_seconds, 0.5);
  EXPECT_EQ(workload->images, 32);
  EXPECT_DOUBLE_EQ(workload->gradient_bytes, 4e6);
  EXPECT_EQ(workload->buckets, 4);
}

TEST(BenchScalingTest, WithoutAGradientThereIsNoPrediction) {
  EXPECT_FALSE(workload_of({{run_of(1, 64)}}, 32));
  EXPECT_FALSE(workload_of({{run_of(1, 64)}, {run_of(2, 100)}}, 32));
  const ScalingReport report = {.rows = scaling_rows({{run_of(1, 64)}}, 2)};
  EXPECT_THAT(scaling_text(report), HasSubstr("No prediction"));
  EXPECT_TRUE(nlohmann::json::parse(scaling_json(report))["prediction"].is_null());
}

TEST(BenchScalingTest, AReportSaysWhatIsMeasuredAndWhatIsNot) {
  const Workload workload = {
      .compute_seconds = 0.01, .images = 32, .gradient_bytes = 4e6, .buckets = 4};
  const ScalingReport report = {.cores = 2,
                                .rows = scaling_rows({{run_of(1, 3200)}, {run_of(2, 6000)}}, 2),
                                .workload = workload,
                                .overlapped = predict_weak(workload, {}, 4, true),
                                .in_sequence = predict_weak(workload, {}, 4, false)};
  const std::string text = scaling_text(report);
  EXPECT_THAT(text, HasSubstr("Prediction, not measured"));
  EXPECT_THAT(text, HasSubstr("50 us latency, 10 Gbit/s"));
  const auto json = nlohmann::json::parse(scaling_json(report));
  EXPECT_EQ(json["prediction"]["overlapped"].size(), 2U);
  EXPECT_EQ(json["prediction"]["assumed"]["latency_us"], 50);
  EXPECT_EQ(json["measured"][1]["ranks"], 2);
}

}  // namespace
}  // namespace convoy::launcher
