#include "launcher/signal_wait.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <csignal>

namespace convoy::launcher {
namespace {

TEST(SignalWaitTest, FirstSignalIsToldAndEndsNothing) {
  const SignalWait signals;
  EXPECT_EQ(signals.caught(), 0);
  EXPECT_FALSE(signals.wait_for(std::chrono::milliseconds(1)));
  kill(getpid(), SIGINT);
  signals.wait();
  kill(getpid(), SIGTERM);
  EXPECT_EQ(signals.caught(), SIGINT);
  EXPECT_TRUE(signals.wait_for(std::chrono::hours(1)));
}

TEST(SignalWaitTest, ActionIsCalledWhenASignalComesAndAtOnceIfOneHas) {
  SignalWait signals;
  std::atomic<int> calls = 0;
  signals.set_action([&] { ++calls; });
  EXPECT_EQ(calls, 0);
  kill(getpid(), SIGTERM);
  signals.wait();
  signals.set_action({});  // waits for one that is under way
  EXPECT_EQ(calls, 1);
  signals.set_action([&] { ++calls; });
  EXPECT_EQ(calls, 2);
}

TEST(SignalWaitDeathTest, EndsByTheSignal) {
  EXPECT_EXIT(SignalWait::end_by(SIGINT), ::testing::KilledBySignal(SIGINT), "");
}

}  // namespace
}  // namespace convoy::launcher
