#include "launcher/status_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "dist/coordinator/rpc/server.h"
#include "tests/launcher/status_sample.h"
#include "tests/support/temporary_directory.h"

namespace convoy::launcher {
namespace {

using ::testing::HasSubstr;

constexpr const char* kName = "a-run-1";

// A coordinator as it is embedded in a run, which is told of one epoch and a step more.
class StatusSourceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    coordinator_ = std::make_unique<dist::Coordinator>(
        dist::Coordinator::Options{.database = dir_.path() / "coordinator.db"});
    server_ = std::make_unique<dist::CoordinatorServer>(
        *coordinator_, dist::CoordinatorServer::Options{.token = token_});
    dist::CoordinatorClient client({.endpoint = {.address = server_->address(), .token = token_}});
    std::array<char, 256> host = {};
    gethostname(host.data(), host.size() - 1);
    auto registration = testing::message<v1::RegisterRunRequest>(R"(
        run: "a-run-1" generation: 1 attempt: "x" lease { seconds: 3600 }
        spec { model: "m" dataset: "d" batch_size: 4 epochs: 2 steps: 4 steps_per_epoch: 2
               images_per_epoch: 8 world_size: 1 threads: 1 run_dir: "/runs/1" }
        ranks { rank: 0 pid: 1 })");
    registration.mutable_ranks(0)->set_host(host.data());
    client.register_run(registration);
    client.report_progress(std::vector{testing::message<v1::ReportProgressRequest>(R"(
        run: "a-run-1" generation: 1 sequence: 1
        steps { step: 1 epoch: 1 ranks { sums { images: 4 correct: 1 loss_sum: 8 } } }
        steps { step: 2 epoch: 1 ranks { sums { images: 4 correct: 3 loss_sum: 4 } } })")});
    client.finish_epoch(testing::message<v1::FinishEpochRequest>(R"(
        run: "a-run-1" generation: 1 sequence: 2
        epoch { epoch: 1 train { images: 8 correct: 4 loss_sum: 12 }
                test { images: 2 correct: 1 loss_sum: 1 } })"));
    client.report_progress(std::vector{testing::message<v1::ReportProgressRequest>(R"(
        run: "a-run-1" generation: 1 sequence: 3
        steps { step: 3 epoch: 2 ranks { sums { images: 4 correct: 4 loss_sum: 2 } } })")});
  }

  FoundRun found() const {
    return {.directory = dir_.path(),
            .run = kName,
            .address = server_ == nullptr ? address_ : server_->address(),
            .token = token_,
            .page = "http://127.0.0.1:1/",
            .pid = getpid(),
            .running = true};
  }

  void kill() {
    address_ = server_->address();
    server_.reset();
    coordinator_.reset();
  }

  void finish(v1::RunState state) {
    v1::FinishRunRequest request;
    request.set_run(kName);
    request.set_generation(1);
    request.set_sequence(4);
    request.set_state(state);
    dist::CoordinatorClient({.endpoint = {.address = server_->address(), .token = token_}})
        .finish_run(request);
  }

  const dist::Token token_ = dist::make_token();
  convoy::testing::TemporaryDirectory dir_;
  std::unique_ptr<dist::Coordinator> coordinator_;
  std::unique_ptr<dist::CoordinatorServer> server_;
  std::string address_;
};

void expect_told(const StatusReport& report) {
  EXPECT_EQ(report.run.step(), 3);
  EXPECT_EQ(report.run.epoch(), 2);
  EXPECT_EQ(report.run.epoch_so_far().correct(), 4);
  EXPECT_EQ(report.run.last_epoch().test().images(), 2);
  EXPECT_FALSE(report.events.empty());
  EXPECT_EQ(report.ranks.size(), 1);
  EXPECT_EQ(report.epochs.size(), 1);
  EXPECT_EQ(report.steps.size(), 3);
}

TEST_F(StatusSourceTest, LiveCoordinatorIsAsked) {
  const StatusSource source(found());
  EXPECT_TRUE(source.is_live());
  const StatusReport report = source.report(source.run(), {.ranks = true, .history = true});
  expect_told(report);
  EXPECT_FALSE(report.from_database);
  EXPECT_EQ(report.note, "");
  EXPECT_EQ(report.page, "http://127.0.0.1:1/");
  EXPECT_EQ(report.run.state(), v1::RUN_STATE_RUNNING);
  EXPECT_EQ(source.reports().size(), 1);
}

TEST_F(StatusSourceTest, DatabaseOfAKilledRunTellsTheSameAndWhyItIsRead) {
  kill();
  FoundRun gone = found();
  gone.running = false;
  const StatusSource source(gone);
  EXPECT_FALSE(source.is_live());
  const StatusReport report = source.report(source.run(), {.ranks = true, .history = true});
  expect_told(report);
  EXPECT_TRUE(report.from_database);
  EXPECT_THAT(report.note, HasSubstr(std::to_string(getpid()) + " is gone"));
  EXPECT_EQ(report.page, "");
}

TEST_F(StatusSourceTest, ProcessThatDoesNotAnswerIsNamed) {
  kill();
  const StatusSource source(found());
  expect_told(source.report(source.run(), {.ranks = true, .history = true}));
  EXPECT_THAT(source.brief(source.run()).note,
              HasSubstr(std::to_string(getpid()) + " does not answer"));
}

TEST_F(StatusSourceTest, RunOnAnotherHostIsSaidToBeThere) {
  auto registration = testing::message<v1::RegisterRunRequest>(R"(
      run: "a-run-1" generation: 2 attempt: "y" lease { seconds: 3600 } first_step: 3
      spec { model: "m" dataset: "d" batch_size: 4 epochs: 2 steps: 4 steps_per_epoch: 2
             images_per_epoch: 8 world_size: 1 threads: 1 }
      ranks { rank: 0 host: "elsewhere" pid: 1 })");
  dist::CoordinatorClient({.endpoint = {.address = server_->address(), .token = token_}})
      .register_run(registration);
  kill();
  FoundRun gone = found();
  gone.running = false;
  const StatusSource source(gone);
  EXPECT_THAT(source.brief(source.run()).note, HasSubstr("is on elsewhere"));
}

TEST_F(StatusSourceTest, EndedRunNeedsNoExcuse) {
  finish(v1::RUN_STATE_SUCCEEDED);
  kill();
  FoundRun gone = found();
  gone.running = false;
  const StatusReport report = StatusSource(gone).brief(kName);
  EXPECT_EQ(report.note, "");
  EXPECT_TRUE(report.from_database);
  EXPECT_EQ(report.run.state(), v1::RUN_STATE_SUCCEEDED);
}

TEST_F(StatusSourceTest, RunWithoutADatabaseIsRefused) {
  kill();
  std::filesystem::remove(dir_.path() / "coordinator.db");
  FoundRun gone = found();
  gone.running = false;
  EXPECT_THROW(StatusSource{gone}, Error);
}

TEST_F(StatusSourceTest, RefusalOfACoordinatorIsPassedOn) {
  const StatusSource source(dist::Endpoint{.address = server_->address(), .token = token_});
  try {
    source.report("no-such-run", {});
    FAIL() << "nothing was refused";
  } catch (const dist::Refusal& refusal) {
    EXPECT_EQ(refusal.kind(), dist::Refusal::Kind::kNotFound);
  }
}

}  // namespace
}  // namespace convoy::launcher
