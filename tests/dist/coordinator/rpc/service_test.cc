// The service over a real socket: every method, every refusal, streams and the end of a server.
#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>
#include <vector>

#include "dist/coordinator/base/log.h"
#include "tests/dist/coordinator/rpc/service_fixture.h"
#include "tests/support/expect_error.h"

namespace convoy::dist {
namespace {

using Kind = Refusal::Kind;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

class ServiceTest : public ServiceFixture {};

TEST_F(ServiceTest, EveryMethodAnswers) {
  serve();
  CoordinatorClient client = this->client();
  EXPECT_EQ(client.register_run(registration("one")).acknowledged_sequence(), 0);
  const std::vector<v1::ReportProgressRequest> reports = {report("one", 1), report("one", 2)};
  EXPECT_EQ(client.report_progress(reports).acknowledged_sequence(), 2);
  v1::FinishEpochRequest epoch;
  epoch.set_run("one");
  epoch.set_generation(1);
  epoch.set_sequence(3);
  epoch.mutable_epoch()->set_epoch(1);
  epoch.mutable_epoch()->mutable_test()->set_images(10);
  EXPECT_EQ(client.finish_epoch(epoch).acknowledged_sequence(), 3);
  v1::HeartbeatRequest heartbeat;
  heartbeat.set_run("one");
  heartbeat.set_generation(1);
  heartbeat.set_phase(v1::PHASE_TRAINING);
  EXPECT_FALSE(client.heartbeat(heartbeat).stop_requested());
  v1::GetRunRequest get;
  get.set_run("one");
  EXPECT_EQ(client.get_run(get).step(), 2);
  EXPECT_EQ(client.list_runs({}).runs_size(), 1);
  v1::ListStepsRequest steps;
  steps.set_run("one");
  EXPECT_EQ(client.list_steps(steps).steps_size(), 2);
  v1::ListEpochsRequest epochs;
  epochs.set_run("one");
  EXPECT_EQ(client.list_epochs(epochs).epochs(0).test().images(), 10);
  v1::ListRanksRequest ranks;
  ranks.set_run("one");
  EXPECT_EQ(client.list_ranks(ranks).ranks_size(), 1);
  EXPECT_GE(client.list_events({}).events_size(), 1);
  v1::StopRunRequest stop;
  stop.set_run("one");
  EXPECT_EQ(client.stop_run(stop).state(), v1::RUN_STATE_STOPPING);
  EXPECT_TRUE(client.heartbeat(heartbeat).stop_requested());
  EXPECT_EQ(client.finish_run(finish("one", 4)).acknowledged_sequence(), 4);
  EXPECT_EQ(client.get_run(get).state(), v1::RUN_STATE_SUCCEEDED);
}

TEST_F(ServiceTest, TheLogLevelIsChangedAndTheOldOneTold) {
  serve();
  CoordinatorClient client = this->client();
  const LogLevel before = log_level();
  v1::SetLogLevelRequest request;
  request.set_level(v1::LOG_LEVEL_ERROR);
  client.set_log_level(request);
  EXPECT_EQ(log_level(), LogLevel::kError);
  EXPECT_EQ(client.set_log_level(request).previous(), v1::LOG_LEVEL_ERROR);
  for (const int level : {0, 5, -1, 77}) {
    request.set_level(static_cast<v1::LogLevel>(level));
    EXPECT_EQ(refusal_of([&] { client.set_log_level(request); }), Kind::kInvalidArgument) << level;
  }
  EXPECT_EQ(log_level(), LogLevel::kError);
  set_log_level(before);
}

TEST_F(ServiceTest, WithoutTheTokenNothingIsAnswered) {
  serve();
  v1::ReportProgressRequest reported = report("one", 1);
  v1::WatchRunRequest watched;
  watched.set_run("one");
  for (const char* token : {"", "another-token-for-tests", "a-token-for-these-test"}) {
    CoordinatorClient client({.endpoint = {.address = server_->address(), .token = token}});
    EXPECT_EQ(refusal_of([&] { client.list_runs({}); }), Kind::kUnauthenticated);
    EXPECT_EQ(refusal_of([&] { client.register_run(registration("one")); }),
              Kind::kUnauthenticated);
    EXPECT_EQ(refusal_of([&] { client.report_progress({&reported, 1}); }), Kind::kUnauthenticated);
    EXPECT_EQ(refusal_of([&] { client.watch_run(watched, [](const v1::Run&) { return true; }); }),
              Kind::kUnauthenticated);
    EXPECT_EQ(refusal_of([&] { client.set_log_level({}); }), Kind::kUnauthenticated);
  }
  EXPECT_EQ(client().list_runs({}).runs_size(), 0);
}

TEST_F(ServiceTest, OnLoopbackATokenIsOptionalAndBeyondItIsNot) {
  serve({});
  CoordinatorClient client({.endpoint = {.address = server_->address()}});
  EXPECT_EQ(client.list_runs({}).runs_size(), 0);
  testing::expect_error([&] { serve({.listen = "0.0.0.0:0"}); }, "so needs a token");
  testing::expect_error([&] { serve({.listen = "[::]:0"}); }, "so needs a token");
  serve({.listen = "0.0.0.0:0", .token = kToken});
  EXPECT_TRUE(server_->address().starts_with("0.0.0.0:"));
}

TEST_F(ServiceTest, RefusalsKeepTheirKind) {
  serve();
  CoordinatorClient client = this->client();
  v1::GetRunRequest get;
  get.set_run("none");
  EXPECT_EQ(refusal_of([&] { client.get_run(get); }), Kind::kNotFound);
  EXPECT_EQ(refusal_of([&] { client.register_run({}); }), Kind::kInvalidArgument);
  client.register_run(registration("one", 2));
  EXPECT_EQ(refusal_of([&] { client.register_run(registration("one", 1)); }),
            Kind::kFailedPrecondition);
  v1::ReportProgressRequest stale = report("one", 1, 1);
  EXPECT_EQ(refusal_of([&] { client.report_progress({&stale, 1}); }), Kind::kFailedPrecondition);
  v1::ReportProgressRequest gap = report("one", 3, 2);
  EXPECT_EQ(refusal_of([&] { client.report_progress({&gap, 1}); }), Kind::kAborted);
}

TEST_F(ServiceTest, UnknownEnumValuesAreRefused) {
  serve();
  CoordinatorClient client = this->client();
  client.register_run(registration("one"));
  v1::HeartbeatRequest heartbeat;
  heartbeat.set_run("one");
  heartbeat.set_generation(1);
  heartbeat.set_phase(static_cast<v1::Phase>(99));
  EXPECT_EQ(refusal_of([&] { client.heartbeat(heartbeat); }), Kind::kInvalidArgument);
  v1::FinishRunRequest end = finish("one", 1);
  end.set_state(static_cast<v1::RunState>(99));
  EXPECT_EQ(refusal_of([&] { client.finish_run(end); }), Kind::kInvalidArgument);
}

TEST_F(ServiceTest, ReportsBeforeAFailedOneInAStreamAreTaken) {
  serve();
  CoordinatorClient client = this->client();
  client.register_run(registration("one"));
  const std::vector<v1::ReportProgressRequest> reports = {report("one", 1), report("one", 2),
                                                          report("one", 4)};
  EXPECT_EQ(refusal_of([&] { client.report_progress(reports); }), Kind::kAborted);
  v1::GetRunRequest get;
  get.set_run("one");
  EXPECT_EQ(client.get_run(get).step(), 2);
}

TEST_F(ServiceTest, ALongStreamOfReportsIsTakenWhole) {
  serve();
  CoordinatorClient client = this->client();
  client.register_run(registration("one"));
  std::vector<v1::ReportProgressRequest> reports;
  for (int sequence = 1; sequence <= 1000; ++sequence) {
    reports.push_back(report("one", sequence));
  }
  EXPECT_EQ(client.report_progress(reports).acknowledged_sequence(), 1000);
  EXPECT_EQ(client.report_progress({}).acknowledged_sequence(), 0) << "a stream of no reports";
}

TEST_F(ServiceTest, AWatcherSeesChangesUntilTheRunHasEnded) {
  serve();
  CoordinatorClient client = this->client();
  client.register_run(registration("one"));
  v1::WatchRunRequest request;
  request.set_run("one");
  std::atomic<std::int64_t> seen{-1};
  std::vector<std::int64_t> steps;
  v1::RunState last = v1::RUN_STATE_UNSPECIFIED;
  std::thread watcher([&] {
    this->client().watch_run(request, [&](const v1::Run& run) {
      steps.push_back(run.step());
      last = run.state();
      seen = run.step();
      return true;
    });
  });
  const auto wait_for = [&](std::int64_t step) {
    while (seen < step) {
      std::this_thread::sleep_for(milliseconds(1));
    }
  };
  wait_for(0);
  for (int sequence = 1; sequence <= 3; ++sequence) {
    const v1::ReportProgressRequest one = report("one", sequence);
    client.report_progress({&one, 1});
    wait_for(sequence);
  }
  client.finish_run(finish("one", 4));
  watcher.join();
  EXPECT_EQ(last, v1::RUN_STATE_SUCCEEDED);
  EXPECT_TRUE(std::ranges::is_sorted(steps));
}

TEST_F(ServiceTest, AWatcherMayLeaveAndMayNotAskForNonsense) {
  serve();
  CoordinatorClient client = this->client();
  client.register_run(registration("one"));
  v1::WatchRunRequest request;
  request.set_run("one");
  int calls = 0;
  client.watch_run(request, [&](const v1::Run&) { return ++calls < 1; });
  EXPECT_EQ(calls, 1);
  const auto watch = [&] { client.watch_run(request, [](const v1::Run&) { return true; }); };
  for (const std::int64_t interval : {std::int64_t{-1}, std::int64_t{1} << 62}) {
    request.mutable_min_interval()->set_seconds(interval);
    EXPECT_EQ(refusal_of(watch), Kind::kInvalidArgument) << interval;
  }
  request.clear_min_interval();
  request.set_run("none");
  EXPECT_EQ(refusal_of(watch), Kind::kNotFound);
}

TEST_F(ServiceTest, ASecondServerOnThePortIsRefused) {
  serve();
  testing::expect_error([&] { CoordinatorServer(coordinator_, {.listen = server_->address()}); },
                        "another coordinator");
  testing::expect_error([&] { CoordinatorServer(coordinator_, {.listen = "127.0.0.1"}); },
                        "not HOST:PORT");
  testing::expect_error([&] { CoordinatorServer(coordinator_, {.listen = "127.0.0.1:70000"}); },
                        "not HOST:PORT");
}

TEST_F(ServiceTest, ARestartedServerIsFoundAgain) {
  serve();
  CoordinatorServer::Options same = options();
  same.listen = server_->address();
  CoordinatorClient client = this->client(seconds(1));
  EXPECT_EQ(client.list_runs({}).runs_size(), 0);
  stop_serving();
  EXPECT_EQ(refusal_of([&] { client.list_runs({}); }), Kind::kUnavailable);
  serve(same);
  const Clock::time_point restarted = Clock::now();
  while (refusal_of([&] { client.list_runs({}); }) && Clock::now() - restarted < seconds(60)) {
    std::this_thread::sleep_for(milliseconds(10));
  }
  EXPECT_EQ(client.list_runs({}).runs_size(), 0);
  const auto took = std::chrono::duration_cast<milliseconds>(Clock::now() - restarted);
  RecordProperty("found_again_ms", static_cast<int>(took.count()));
}

TEST_F(ServiceTest, AnUnreachableServerIsNamed) {
  serve();
  const std::string address = server_->address();
  stop_serving();
  CoordinatorClient client({.endpoint = {.address = address}});
  testing::expect_error([&] { client.list_runs({}); }, address);
  EXPECT_EQ(refusal_of([&] { client.list_runs({}); }), Kind::kUnavailable);
}

TEST_F(ServiceTest, CancellingEndsACallUnderWayAndRefusesLaterOnes) {
  serve();
  CoordinatorClient client = this->client();
  client.register_run(registration("one"));
  v1::WatchRunRequest request;
  request.set_run("one");
  std::atomic<bool> watching{false};
  std::optional<Kind> kind;
  std::thread watcher([&] {
    kind = refusal_of([&] {
      client.watch_run(request, [&](const v1::Run&) {
        watching = true;
        return true;
      });
    });
  });
  while (!watching) {
    std::this_thread::sleep_for(milliseconds(1));
  }
  client.cancel();
  watcher.join();
  EXPECT_EQ(kind, Kind::kUnavailable);
  EXPECT_EQ(refusal_of([&] { client.list_runs({}); }), Kind::kUnavailable);
}

TEST_F(ServiceTest, AServerEndsWhileStreamsAreOpen) {
  serve();
  CoordinatorClient client = this->client(seconds(1));
  client.register_run(registration("one"));
  v1::WatchRunRequest request;
  request.set_run("one");
  std::atomic<int> watching{0};
  std::vector<std::thread> watchers;
  for (int i = 0; i < 8; ++i) {
    watchers.emplace_back([&] {
      const auto kind = refusal_of([&] {
        this->client(seconds(1)).watch_run(request, [&, first = true](const v1::Run&) mutable {
          watching += std::exchange(first, false) ? 1 : 0;
          return true;
        });
      });
      EXPECT_EQ(kind, Kind::kUnavailable);
    });
  }
  while (watching < 8) {
    std::this_thread::sleep_for(milliseconds(1));
  }
  const Clock::time_point start = Clock::now();
  stop_serving();
  const auto took = std::chrono::duration_cast<milliseconds>(Clock::now() - start);
  RecordProperty("stopped_ms", static_cast<int>(took.count()));
  for (std::thread& watcher : watchers) {
    watcher.join();
  }
}

}  // namespace
}  // namespace convoy::dist
