#include "dist/coordinator/coordinator.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <fstream>
#include <future>
#include <mutex>
#include <set>
#include <thread>

#include "dist/coordinator/store/store.h"
#include "tests/dist/coordinator/book/requests.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

namespace convoy::testing {
namespace {

using dist::Coordinator;
using dist::Refusal;

// Tells, and waits until it is on disk.
template <typename Call>
auto durable(const Call& call) {
  std::promise<void> told;
  auto answer = call([&](const std::exception_ptr& error) {
    error != nullptr ? told.set_exception(error) : told.set_value();
  });
  told.get_future().get();
  return answer;
}

class CoordinatorTest : public ::testing::Test {
 protected:
  void open(const std::filesystem::path& file) {
    coordinator_.emplace(Coordinator::Options{.database = file});
  }
  void open() { open(file_); }
  void register_run(const v1::RegisterRunRequest& request) {
    durable([&](auto done) { return coordinator_->register_run(request, done); });
  }
  void report_progress(const v1::ReportProgressRequest& request) {
    durable([&](auto done) { return coordinator_->report_progress(request, done); });
  }

  TemporaryDirectory directory_;
  std::filesystem::path file_ = directory_.path() / "coordinator.db";
  std::optional<Coordinator> coordinator_;
};

TEST_F(CoordinatorTest, DoneMeansThatAnotherReaderSeesIt) {
  open();
  register_run(registration(1));
  for (std::int64_t step = 1; step <= 20; ++step) {
    report_progress(report(step, step_of(step, {0})));
    const Coordinator reader({.database = file_, .read_only = true});
    ASSERT_EQ(reader.get_run(get_run()).step(), step);
  }
}

TEST_F(CoordinatorTest, ManyThreadsAreAddedUpExactly) {
  constexpr std::int32_t kRanks = 8;
  open();
  register_run(registration(kRanks));
  std::vector<std::thread> workers;
  for (std::int32_t rank = 0; rank < kRanks; ++rank) {
    workers.emplace_back([&, rank] {
      for (std::int64_t step = 1; step <= 3 * kEpochSteps; ++step) {
        report_progress(report(step, step_of(step, {rank}), rank));
      }
    });
  }
  for (std::thread& worker : workers) {
    worker.join();
  }
  std::int64_t sequence = 3 * kEpochSteps;
  for (std::int64_t epoch = 1; epoch <= 3; ++epoch) {
    durable([&](auto done) {
      return coordinator_->finish_epoch(finished_epoch(++sequence, epoch, kRanks), done);
    });
  }
  coordinator_.reset();
  open();
  v1::ListEpochsRequest list;
  list.set_run("night-run");
  const v1::ListEpochsResponse epochs = coordinator_->list_epochs(list);
  ASSERT_EQ(epochs.epochs_size(), 3);
  for (const v1::EpochMetrics& epoch : epochs.epochs()) {
    EXPECT_EQ(dist::from_message(epoch.aggregated()), dist::from_message(epoch.train()));
  }
  v1::ListStepsRequest steps;
  steps.set_run("night-run");
  EXPECT_EQ(coordinator_->list_steps(steps).steps_size(), 30);
}

TEST_F(CoordinatorTest, RefusedRequestIsNotDone) {
  open();
  std::atomic<int> calls = 0;
  expect_refusal(Refusal::Kind::kNotFound, "night-run", [&] {
    coordinator_->report_progress(report(1), [&](const std::exception_ptr&) { ++calls; });
  });
  register_run(registration(1));
  EXPECT_EQ(calls, 0);
}

TEST_F(CoordinatorTest, EveryAnswerIsGivenBeforeItEnds) {
  open();
  register_run(registration(1));
  std::atomic<int> calls = 0;
  for (std::int64_t step = 1; step <= 30; ++step) {
    coordinator_->report_progress(report(step, step_of(step, {0})),
                                  [&](const std::exception_ptr& error) {
                                    EXPECT_EQ(error, nullptr);
                                    ++calls;
                                  });
  }
  coordinator_.reset();
  EXPECT_EQ(calls, 30);
  open();
  EXPECT_EQ(coordinator_->get_run(get_run()).step(), 30);
}

TEST_F(CoordinatorTest, SubscriberHearsOfChangesUntilItLeaves) {
  open();
  std::mutex mutex;
  std::condition_variable changed;
  std::multiset<std::string> heard;
  std::unique_ptr<Coordinator::Subscription> subscription =
      coordinator_->subscribe([&](const std::string& run) {
        const std::lock_guard lock(mutex);
        heard.insert(run);
        changed.notify_one();
      });
  register_run(registration(1));
  {
    std::unique_lock lock(mutex);
    EXPECT_TRUE(changed.wait_for(lock, std::chrono::seconds(30),
                                 [&] { return heard.contains("night-run"); }));
  }
  subscription.reset();
  heard.clear();
  report_progress(report(1));
  report_progress(report(2));
  EXPECT_TRUE(heard.empty());
}

TEST_F(CoordinatorTest, RunIsLostByItselfAndAPauseOfTheCoordinatorIsForgiven) {
  std::atomic<std::int64_t> seconds = 56LL * 365 * 24 * 3600;
  coordinator_.emplace(Coordinator::Options{
      .database = file_, .clock = [&] { return dist::from_epoch(std::chrono::seconds(seconds)); }});
  register_run(registration(1));
  // As after SIGSTOP: the next tick comes an hour later.
  seconds += 3600;
  std::this_thread::sleep_for(std::chrono::milliseconds(600));
  EXPECT_EQ(coordinator_->get_run(get_run()).state(), v1::RUN_STATE_RUNNING);
  // As time passes otherwise: a second at most between ticks.
  for (int i = 0; i < 12; ++i) {
    ++seconds;
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
  }
  for (int i = 0; i < 100; ++i) {
    if (coordinator_->get_run(get_run()).state() == v1::RUN_STATE_LOST) {
      break;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  EXPECT_EQ(coordinator_->get_run(get_run()).state(), v1::RUN_STATE_LOST);
}

TEST_F(CoordinatorTest, ReadOnlyOneAnswersAndTakesNothing) {
  open();
  register_run(registration(1));
  coordinator_.reset();
  std::filesystem::remove(file_.string() + ".lock");
  Coordinator reader({.database = file_, .read_only = true});
  EXPECT_EQ(reader.list_runs({}).runs_size(), 1);
  EXPECT_EQ(reader.list_events({}).events_size(), 1);
  expect_refusal(Refusal::Kind::kUnavailable, "only answers",
                 [&] { reader.heartbeat(heartbeat(), [](const std::exception_ptr&) {}); });
  EXPECT_FALSE(std::filesystem::exists(file_.string() + ".lock"));
}

TEST_F(CoordinatorTest, ReadOnlyOneSaysThatASilentRunIsLost) {
  const auto start = std::chrono::system_clock::now();
  open();
  register_run(registration(1));
  coordinator_.reset();
  const Coordinator reader({.database = file_, .read_only = true, .clock = [&] {
                              return start + std::chrono::hours(1);
                            }});
  EXPECT_EQ(reader.get_run(get_run()).state(), v1::RUN_STATE_LOST);
}

TEST_F(CoordinatorTest, FullDiskIsToldAndGotOver) {
  const SmallDisk disk("2m");
  if (!disk.available()) {
    GTEST_SKIP() << "mounting needs root";
  }
  open(disk.path() / "coordinator.db");
  v1::RegisterRunRequest request = registration(1);
  request.mutable_spec()->set_steps(1'000'000);
  request.mutable_spec()->set_epochs(1'000'000);
  register_run(request);
  const std::filesystem::path ballast = disk.path() / "ballast";
  {
    std::ofstream stream(ballast);
    stream << std::string(2 << 20, 'x');
  }
  std::int64_t sequence = 0;
  std::int64_t durable_step = 0;
  const auto next = [&] {
    ++sequence;
    v1::ReportProgressRequest steps = report(sequence);
    for (std::int64_t i = 1; i <= 1000; ++i) {
      *steps.add_steps() = step_of((sequence - 1) * 1000 + i, {0});
      steps.mutable_steps()->rbegin()->set_epoch(1);
    }
    report_progress(steps);
    durable_step = sequence * 1000;
  };
  expect_refusal(Refusal::Kind::kUnavailable, "full", [&] {
    for (int i = 0; i < 100; ++i) {
      next();
    }
  });
  // Nothing more is taken, so that memory is bounded, and what is known can be asked.
  expect_refusal(Refusal::Kind::kUnavailable, "full", [&] { report_progress(report(1)); });
  EXPECT_EQ(coordinator_->list_runs({}).runs_size(), 1);
  std::filesystem::remove(ballast);
  const auto came_back = [&] {
    try {
      report_progress(report(1));
      return true;
    } catch (const Refusal&) {
      return false;
    }
  };
  for (int i = 0; i < 100 && !came_back(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_TRUE(came_back());
  EXPECT_GE(coordinator_->get_run(get_run()).step(), durable_step);
  coordinator_.reset();
}

}  // namespace
}  // namespace convoy::testing
