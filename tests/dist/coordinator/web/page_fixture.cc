// page_fixture [HOST:PORT]: a coordinator with made-up runs and its web page, for tests of the page
// and for looking at it. Says on stdout where it is, then obeys lines on stdin, answering each with
// where the run `mnist` stands:
//   steps N   N more optimizer steps are reported
//   finish    the run ends
//   pace N    until the next line, N steps a second
// Ends when stdin does.
#include <fmt/format.h>

#include <atomic>
#include <cstdio>
#include <iostream>
#include <mutex>
#include <sstream>
#include <thread>

#include "dist/coordinator/web/http_server.h"
#include "tests/dist/coordinator/web/made_up_run.h"
#include "tests/support/temporary_directory.h"

namespace {

using namespace std::chrono_literals;
using convoy::testing::MadeUpRun;
namespace v1 = convoy::v1;
namespace dist = convoy::dist;

void report(const MadeUpRun& run) {
  const v1::Sums& now = run.so_far();
  const v1::Sums& test = run.last_epoch().test();
  fmt::print(R"({{"step": {}, "epoch": {}, "loss": {:.4f}, "accuracy": {:.4f}, "test": {:.4f}}})"
             "\n",
             run.step(), run.epoch(), now.loss_sum() / static_cast<double>(now.images()),
             static_cast<double>(now.correct()) / static_cast<double>(now.images()),
             static_cast<double>(test.correct()) / static_cast<double>(test.images()));
  std::fflush(stdout);
}

void obey(MadeUpRun& run, std::atomic<std::int64_t>& pace, const std::string& line) {
  std::istringstream words(line);
  std::string order;
  std::int64_t number = 0;
  words >> order >> number;
  pace = 0;
  if (order == "steps") {
    run.take_steps(number);
  } else if (order == "finish") {
    run.finish(v1::RUN_STATE_SUCCEEDED, "");
  } else if (order == "pace") {
    pace = number;
  }
}

}  // namespace

int main(int count, char** arguments) {
  const convoy::testing::TemporaryDirectory directory;
  convoy::testing::MadeUpClock clock(std::chrono::system_clock::now() - 350s);
  std::atomic<bool> caught_up = false;
  dist::Coordinator coordinator({.database = directory.path() / "coordinator.db", .clock = [&] {
                                   return caught_up ? std::chrono::system_clock::now()
                                                    : clock.now();
                                 }});
  MadeUpRun first(coordinator, clock,
                  {.run = "fashion-baseline",
                   .dataset = "fashion-mnist",
                   .epochs = 5,
                   .ranks = 2,
                   .accuracy = 0.91});
  first.take_steps(first.steps());
  first.finish(v1::RUN_STATE_SUCCEEDED, "");
  clock.advance(2min);
  MadeUpRun second(coordinator, clock, {.run = "mnist-batch-512", .batch_size = 512});
  second.take_steps(700);
  second.finish(v1::RUN_STATE_FAILED,
                "rank 3 (node2): the loss is not a number in step 700; lower --lr");
  clock.advance(1min);
  MadeUpRun third(coordinator, clock, {.run = "mnist-stopped", .epochs = 4});
  third.take_steps(900);
  third.finish(v1::RUN_STATE_STOPPED,
               "checkpoint checkpoints/step-900; go on with: convoy train --resume");
  clock.advance(1min);
  MadeUpRun run(coordinator, clock, {.slow_rank = 3, .accuracy = 0.991});
  run.note(v1::SEVERITY_INFO, "test images are scaled to 0..1");
  run.take_steps(7 * run.steps_per_epoch() + 140);
  run.note(v1::SEVERITY_WARNING, "writing a checkpoint took 4.2 s; is the disk busy?");
  clock.advance(std::chrono::system_clock::now() - clock.now());
  caught_up = true;

  const dist::Token token = "a-token-for-the-test-only";
  const dist::HttpServer server(
      coordinator, {.listen = count > 1 ? arguments[1] : "127.0.0.1:0", .token = token});
  fmt::print(R"({{"url": "{}", "token": "{}"}})"
             "\n",
             server.url(), token);
  report(run);
  std::atomic<std::int64_t> pace = 0;
  std::mutex mutex;
  std::jthread runner([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      std::this_thread::sleep_for(100ms);
      const std::lock_guard lock(mutex);
      run.take_steps(std::min(pace / 10, run.steps() - run.step()));
    }
  });
  for (std::string line; std::getline(std::cin, line);) {
    const std::lock_guard lock(mutex);
    obey(run, pace, line);
    report(run);
  }
}
