// A coordinator is really killed, many times, at random moments: what it had acknowledged is there.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <random>
#include <sstream>
#include <thread>

#include "dist/coordinator/coordinator.h"
#include "tests/dist/coordinator/store/kill_run.h"
#include "tests/support/temporary_directory.h"

namespace convoy::testing {
namespace {

// What the program wrote in `time`, after which it is killed.
std::string killed_after(const std::filesystem::path& database, std::chrono::microseconds time) {
  std::array<int, 2> ends = {};
  EXPECT_EQ(::pipe(ends.data()), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    ::close(ends[0]);
    ::close(ends[1]);
    ::execl(KILLED_WRITER, KILLED_WRITER, database.c_str(), nullptr);
    ::_exit(127);
  }
  ::close(ends[1]);
  std::string output;
  std::thread reader([&] {
    std::array<char, 4096> buffer = {};
    for (ssize_t got = 0; (got = ::read(ends[0], buffer.data(), buffer.size())) > 0;) {
      output.append(buffer.data(), static_cast<std::size_t>(got));
    }
  });
  std::this_thread::sleep_for(time);
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status)) << "it ended by itself with " << status;
  reader.join();
  ::close(ends[0]);
  return output;
}

// Every step that is there holds exactly what its ranks told.
void expect_true_steps(const dist::Coordinator& coordinator, std::int64_t complete) {
  v1::ListStepsRequest request;
  request.set_run("night-run");
  request.set_page_size(10'000);
  std::int64_t step = 0;
  do {
    const v1::ListStepsResponse page = coordinator.list_steps(request);
    for (const v1::StepMetrics& metrics : page.steps()) {
      if (metrics.step() > complete) {
        return;
      }
      ASSERT_EQ(metrics.step(), ++step);
      dist::Totals truth;
      for (std::int32_t rank = 0; rank < kKillRanks; ++rank) {
        truth += part_of(step, rank);
      }
      ASSERT_EQ(dist::from_message(metrics.sums()), truth) << "step " << step;
    }
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_EQ(step, complete);
}

TEST(KillTest, WhatWasAcknowledgedIsThere) {
  const TemporaryDirectory directory;
  const std::filesystem::path database = directory.path() / "coordinator.db";
  std::mt19937 random(std::random_device{}());
  std::array<std::int64_t, kKillRanks> acknowledged = {};
  std::int64_t lines = 0;
  for (int round = 0; round < 20; ++round) {
    std::istringstream output(
        killed_after(database, std::chrono::microseconds(random() % 300'000)));
    std::string line;
    while (std::getline(output, line) && !output.eof()) {
      std::istringstream words(line);
      std::size_t rank = 0;
      std::int64_t sequence = 0;
      words >> rank >> sequence;
      acknowledged.at(rank) = std::max(acknowledged.at(rank), sequence);
      ++lines;
    }
    const std::int64_t complete_in_all = *std::ranges::min_element(acknowledged);
    if (complete_in_all > 0) {  // `convoy status` looks at what a killed job left behind
      const dist::Coordinator reader(
          {.database = database, .limits = kKillLimits, .read_only = true});
      EXPECT_GE(reader.get_run(get_run()).step(), complete_in_all);
    }
    dist::Coordinator coordinator({.database = database, .limits = kKillLimits});
    coordinator.register_run(kill_run(), [](const auto&) {});
    for (std::int32_t rank = 0; rank < kKillRanks; ++rank) {
      EXPECT_GE(coordinator.heartbeat(heartbeat(rank), [](const auto&) {}).acknowledged_sequence(),
                acknowledged.at(static_cast<std::size_t>(rank)))
          << "rank " << rank << ", round " << round;
    }
    const std::int64_t complete = coordinator.get_run(get_run()).step();
    EXPECT_GE(complete, complete_in_all);
    expect_true_steps(coordinator, complete);
    if (HasFailure()) {
      return;
    }
  }
  EXPECT_GT(lines, 0) << "nothing was acknowledged, so nothing was tested";
}

}  // namespace
}  // namespace convoy::testing
