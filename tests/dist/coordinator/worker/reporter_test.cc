// A reporter and a true coordinator, between which everything goes wrong that can.
#include "dist/coordinator/worker/reporter.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "tests/dist/coordinator/worker/stormy_sink.h"
#include "tests/support/temporary_directory.h"

namespace convoy::dist {
namespace {

using std::chrono::milliseconds;
using Kind = Refusal::Kind;

constexpr int kRanks = 3;
constexpr std::int64_t kStepsPerEpoch = 20;

class ReporterTest : public ::testing::Test {
 protected:
  ReporterTest() { weather_->site = &site_; }

  Reporter::Options options(std::int64_t generation = 1, std::int64_t first_step = 0) const {
    Reporter::Options options = {.journal = directory_.path() / "reports.journal",
                                 .interval = milliseconds(5),
                                 .first_back_off = milliseconds(1),
                                 .longest_back_off = milliseconds(10),
                                 .flush = milliseconds(60'000)};
    v1::RegisterRunRequest& request = options.registration;
    request.set_run("run");
    request.set_generation(generation);
    request.set_attempt(fmt::format("attempt {}", generation));
    request.set_first_step(first_step);
    v1::RunSpec& spec = *request.mutable_spec();
    spec.set_model("m");
    spec.set_dataset("d");
    spec.set_batch_size(100);
    spec.set_epochs(1000);
    spec.set_steps(1000 * kStepsPerEpoch);
    spec.set_steps_per_epoch(kStepsPerEpoch);
    spec.set_world_size(kRanks);
    for (int rank = 0; rank < kRanks; ++rank) {
      v1::RankInfo& info = *request.add_ranks();
      info.set_rank(rank);
      info.set_host(fmt::format("node{}", rank));
      info.set_pid(100 + rank);
    }
    return options;
  }
  std::unique_ptr<Reporter> reporter(const Reporter::Options& options) const {
    return std::make_unique<Reporter>(std::make_unique<StormySink>(weather_), options);
  }

  // Trains steps after `from`, up to `to`, with an epoch wherever one ends.
  static void train(Reporter& reporter, std::int64_t from, std::int64_t to,
                    std::chrono::microseconds pause = std::chrono::microseconds(50)) {
    for (std::int64_t step = from + 1; step <= to; ++step) {
      const std::int64_t epoch = (step - 1) / kStepsPerEpoch + 1;
      StepRecord record = {.step = step, .epoch = epoch, .learning_rate = 0.1};
      record.duration = std::chrono::milliseconds(3);
      for (int rank = 0; rank < kRanks; ++rank) {
        record.ranks.push_back(
            {.images = 5 + rank, .correct = step % 5, .loss_sum = loss(step, rank)});
      }
      reporter.step(std::move(record));
      if (step % kStepsPerEpoch == 0) {
        v1::EpochMetrics metrics;
        metrics.set_epoch(epoch);
        *metrics.mutable_train() = epoch_sums(epoch);
        reporter.epoch(metrics);
      }
      std::this_thread::sleep_for(pause);
    }
  }
  static double loss(std::int64_t step, int rank) {
    return static_cast<double>(step * 7 + rank) * 0x1p-20;
  }
  static v1::Sums epoch_sums(std::int64_t epoch) {
    v1::Sums sums;
    for (std::int64_t step = (epoch - 1) * kStepsPerEpoch + 1; step <= epoch * kStepsPerEpoch;
         ++step) {
      for (int rank = 0; rank < kRanks; ++rank) {
        sums.set_images(sums.images() + 5 + rank);
        sums.set_correct(sums.correct() + step % 5);
        sums.set_loss_sum(sums.loss_sum() + loss(step, rank));
      }
    }
    return sums;
  }

  // The coordinator has all of it, once.
  void expect_complete(std::int64_t steps, std::int64_t lost = 0) const {
    const v1::Run run = site_.run();
    EXPECT_EQ(run.step(), steps);
    EXPECT_EQ(run.lost_steps(), lost);
    v1::ListEpochsRequest request;
    request.set_run("run");
    const v1::ListEpochsResponse epochs = site_.get()->list_epochs(request);
    ASSERT_EQ(epochs.epochs_size(), steps / kStepsPerEpoch);
    for (const v1::EpochMetrics& epoch : epochs.epochs()) {
      const v1::Sums expected = epoch_sums(epoch.epoch());
      EXPECT_EQ(epoch.train().loss_sum(), expected.loss_sum());
      if (lost == 0) {
        EXPECT_EQ(epoch.aggregated().images(), expected.images()) << "epoch " << epoch.epoch();
        EXPECT_EQ(epoch.aggregated().correct(), expected.correct());
        EXPECT_EQ(epoch.aggregated().loss_sum(), expected.loss_sum());
      }
    }
  }
  template <typename Condition>
  static void await(const Condition& condition) {
    for (int i = 0; i < 20'000; ++i) {
      if (condition()) {
        return;
      }
      std::this_thread::sleep_for(milliseconds(1));
    }
    FAIL() << "nothing happens";
  }
  std::uintmax_t journal_bytes() const {
    return std::filesystem::file_size(directory_.path() / "reports.journal");
  }

  testing::TemporaryDirectory directory_;
  Site site_{directory_.path() / "coordinator.db"};
  std::shared_ptr<Weather> weather_ = std::make_shared<Weather>();
};

TEST_F(ReporterTest, TellsARunFromItsBeginningToItsEnd) {
  const auto reporter = this->reporter(options());
  train(*reporter, 0, 100);
  reporter->note(v1::SEVERITY_WARNING, "something");
  reporter->end(v1::RUN_STATE_SUCCEEDED, "");
  EXPECT_EQ(reporter->close(), 0U);
  expect_complete(100);
  EXPECT_EQ(site_.run().state(), v1::RUN_STATE_SUCCEEDED);
  EXPECT_EQ(journal_bytes(), 0U);
  EXPECT_TRUE(reporter->take_notes().empty());
}

TEST_F(ReporterTest, NothingIsLostOrCountedTwiceInBadWeather) {
  for (const unsigned seed : {1U, 2U}) {
    site_.restart_empty();
    weather_->random.seed(seed);
    weather_->trouble = 60;
    const auto reporter = this->reporter(options());
    train(*reporter, 0, 200, milliseconds(1));
    reporter->end(v1::RUN_STATE_SUCCEEDED, "");
    EXPECT_EQ(reporter->close(), 0U);
    expect_complete(200);
  }
}

TEST_F(ReporterTest, ACoordinatorThatIsRestartedIsFoundAgain) {
  const auto reporter = this->reporter(options());
  for (std::int64_t step = 0; step < 500; step += 100) {
    train(*reporter, step, step + 50);
    {
      const std::lock_guard lock(weather_->mutex);
      site_.stop();
    }
    train(*reporter, step + 50, step + 100);
    const std::lock_guard lock(weather_->mutex);
    site_.start();
  }
  reporter->end(v1::RUN_STATE_SUCCEEDED, "");
  EXPECT_EQ(reporter->close(), 0U);
  expect_complete(500);
}

TEST_F(ReporterTest, ACoordinatorThatForgotEverythingIsToldAnew) {
  const auto reporter = this->reporter(options());
  train(*reporter, 0, 100);
  await([&] { return site_.run().step() == 100; });
  {
    const std::lock_guard lock(weather_->mutex);
    site_.restart_empty();
  }
  train(*reporter, 100, 200);
  reporter->end(v1::RUN_STATE_SUCCEEDED, "");
  EXPECT_EQ(reporter->close(), 0U);
  EXPECT_EQ(site_.run().step(), 200);
  EXPECT_EQ(site_.run().state(), v1::RUN_STATE_SUCCEEDED);
}

TEST_F(ReporterTest, WhileTheCoordinatorIsAwayReportsWaitInTheJournal) {
  weather_->away = true;
  {
    Reporter::Options options = this->options();
    options.flush = milliseconds(50);
    const auto reporter = this->reporter(options);
    train(*reporter, 0, 130);
    EXPECT_GT(reporter->close(), 0U);
  }
  // The run was killed there, and is resumed from its checkpoint of step 110 by another process.
  weather_->away = false;
  const auto reporter = this->reporter(options(2, 110));
  train(*reporter, 110, 200);
  reporter->end(v1::RUN_STATE_SUCCEEDED, "");
  EXPECT_EQ(reporter->close(), 0U);
  EXPECT_EQ(site_.run().generation(), 2);
  expect_complete(200);
  EXPECT_EQ(journal_bytes(), 0U);
}

TEST_F(ReporterTest, TrainingNeverWaitsForACoordinatorThatHangs) {
  weather_->hangs = true;
  Reporter::Options options = this->options();
  options.flush = milliseconds(1);
  const auto reporter = this->reporter(options);
  await([&] { return weather_->calls == 1; });
  train(*reporter, 0, 5000, std::chrono::microseconds(0));
  reporter->close();  // does not hang either
}

TEST_F(ReporterTest, WhatTheBoundDoesNotCoverIsToldAsLostAndEpochsNeverAre) {
  weather_->away = true;
  Reporter::Options options = this->options();
  options.limits.steps = 300;
  const auto reporter = this->reporter(options);
  train(*reporter, 0, 1000);
  weather_->away = false;
  reporter->end(v1::RUN_STATE_SUCCEEDED, "");
  EXPECT_EQ(reporter->close(), 0U);
  const v1::Run run = site_.run();
  // As many wait to be sent as wait to be taken up, if the thread has not got round to that.
  EXPECT_GE(run.lost_steps(), 1000 - 2 * 300);
  EXPECT_LT(run.lost_steps(), 1000);
  expect_complete(1000, run.lost_steps());
}

TEST_F(ReporterTest, ASecondStartOfTheRunMakesTheFirstFallSilent) {
  const auto first = this->reporter(options(1));
  train(*first, 0, 40);
  await([&] { return site_.run().last_epoch().epoch() == 40 / kStepsPerEpoch; });
  Reporter::Options options = this->options(2, 40);
  options.journal = directory_.path() / "other.journal";
  const auto second = this->reporter(options);
  train(*second, 40, 60);
  await([&] { return site_.run().step() == 60; });
  train(*first, 40, 60);
  std::vector<std::string> notes;
  await([&] { return !(notes = first->take_notes()).empty(); });
  EXPECT_THAT(notes.at(0), ::testing::HasSubstr("stale"));
  first->close();
  const int calls = weather_->calls;
  EXPECT_EQ(second->close(), 0U);
  EXPECT_LE(weather_->calls, calls + 5);
  expect_complete(60);
}

TEST_F(ReporterTest, PassesOnTheWishToStop) {
  const auto reporter = this->reporter(options());
  train(*reporter, 0, 5);
  await([&] { return site_.run().step() == 5; });
  EXPECT_FALSE(reporter->stop_requested());
  v1::StopRunRequest request;
  request.set_run("run");
  site_.get()->stop_run(request, [](const std::exception_ptr&) {});
  train(*reporter, 5, 6);
  await([&] { return reporter->stop_requested(); });
  reporter->end(v1::RUN_STATE_STOPPED, "the checkpoint is here");
  reporter->close();
  EXPECT_EQ(site_.run().state(), v1::RUN_STATE_STOPPED);
  EXPECT_EQ(site_.run().state_reason(), "the checkpoint is here");
}

TEST_F(ReporterTest, HeartbeatsTellThePhaseAndWhoIsAwaited) {
  Reporter::Options options = this->options();
  options.registration.mutable_lease()->set_seconds(1);
  options.awaited = [] { return 2; };
  const auto reporter = this->reporter(options);
  reporter->phase(v1::PHASE_TESTING);
  await([&] { return site_.run().phase() == v1::PHASE_TESTING; });
  EXPECT_EQ(site_.run().waiting_for(), "rank 2 (node2)");
}

TEST_F(ReporterTest, SaysOnceThatNobodyAnswersAndOnceThatSomebodyDoes) {
  weather_->away = true;
  Reporter::Options options = this->options();
  options.coordinator = "the coordinator at there:1";
  const auto reporter = this->reporter(options);
  std::vector<std::string> notes;
  await([&] { return !(notes = reporter->take_notes()).empty(); });
  EXPECT_THAT(notes, ::testing::ElementsAre(::testing::StartsWith(
                         "the coordinator at there:1 does not answer: nobody is there")));
  std::this_thread::sleep_for(milliseconds(50));
  EXPECT_TRUE(reporter->take_notes().empty());
  weather_->away = false;
  await([&] { return !(notes = reporter->take_notes()).empty(); });
  EXPECT_THAT(notes, ::testing::ElementsAre("the coordinator at there:1 answers again"));
}

TEST_F(ReporterTest, AReportThatIsRefusedForGoodDoesNotHoldUpTheOthers) {
  const auto reporter = this->reporter(options());
  train(*reporter, 0, 10);
  StepRecord absurd = {.step = 11, .epoch = 1, .learning_rate = -1.0};
  absurd.ranks.push_back({.images = 5});
  reporter->step(absurd);
  train(*reporter, 11, 40, std::chrono::milliseconds(1));
  reporter->end(v1::RUN_STATE_SUCCEEDED, "");
  EXPECT_EQ(reporter->close(), 0U);
  const v1::Run run = site_.run();
  EXPECT_EQ(run.step(), 40);
  EXPECT_GE(run.lost_steps(), 1);
  EXPECT_EQ(run.state(), v1::RUN_STATE_SUCCEEDED);
}

}  // namespace
}  // namespace convoy::dist
