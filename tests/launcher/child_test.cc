#include "launcher/child.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <cerrno>
#include <thread>

namespace convoy::launcher {
namespace {

using ::testing::HasSubstr;

ChildResult shell(const std::string& command) {
  return run_child({.argv = {"sh", "-c", command}});
}

TEST(ChildTest, OutputErrorsAndExitCodeArrive) {
  const ChildResult result = shell("echo out; echo err >&2; exit 7");
  EXPECT_EQ(result.output, "out\n");
  EXPECT_EQ(result.errors, "err\n");
  EXPECT_EQ(result.exit_code, 7);
  EXPECT_FALSE(result.timed_out);
}

TEST(ChildTest, ArgumentsAreNotTakenApartByAShell) {
  EXPECT_EQ(run_child({.argv = {"printf", "%s|", "a b", "$HOME", "'"}}).output, "a b|$HOME|'|");
}

TEST(ChildTest, ASignalAndAProgramThatIsNotThereAreToldByTheExitCode) {
  EXPECT_EQ(shell("kill -9 $$").exit_code, 128 + SIGKILL);
  EXPECT_EQ(run_child({.argv = {"no-such-program-anywhere"}}).exit_code, 127);
}

TEST(ChildTest, VariablesAreSetOrReplaced) {
  EXPECT_EQ(run_child({.argv = {"sh", "-c", "echo $CONVOY_X $HOME"},
                       .environment = {{"CONVOY_X", "1"}, {"HOME", "/h"}}})
                .output,
            "1 /h\n");
}

TEST(ChildTest, MoreOutputThanIsKeptStopsNobody) {
  const ChildResult result = shell("head -c 3000000 /dev/zero; echo end >&2");
  EXPECT_EQ(result.output.size(), std::size_t{1} << 20);
  EXPECT_EQ(result.errors, "end\n");
  EXPECT_EQ(result.exit_code, 0);
}

TEST(ChildTest, StandardInputIsEmpty) {
  EXPECT_EQ(run_child({.argv = {"cat"}}).output, "");
}

TEST(ChildTest, PastItsDeadlineAProgramAndItsChildrenAreEnded) {
  const ChildResult result = run_child({.argv = {"sh", "-c", "sleep 60 & echo $!; wait"},
                                        .deadline = std::chrono::milliseconds(300)});
  EXPECT_TRUE(result.timed_out);
  EXPECT_EQ(result.exit_code, 128 + SIGTERM);
  const pid_t grandchild = std::stoi(result.output);
  for (int tries = 0; tries < 500 && kill(grandchild, 0) == 0; ++tries) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_TRUE(kill(grandchild, 0) == -1 && errno == ESRCH);
}

TEST(ChildTest, AProgramThatIgnoresTermIsKilled) {
  const ChildResult result =
      run_child({.argv = {"sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"},
                 .deadline = std::chrono::milliseconds(200)});
  EXPECT_TRUE(result.timed_out);
  EXPECT_EQ(result.exit_code, 128 + SIGKILL);
}

TEST(ChildTest, WhatIsLeftInTheBackgroundIsNotWaitedFor) {
  const ChildResult result = shell("sleep 5 & echo done");
  EXPECT_EQ(result.output, "done\n");
  EXPECT_FALSE(result.timed_out);
}

TEST(ChildTest, ProgramsAreFoundInThePath) {
  EXPECT_THAT(find_program("sh"), HasSubstr("/sh"));
  EXPECT_EQ(find_program("no-such-program-anywhere"), "");
  EXPECT_THAT(own_program(), HasSubstr("launcher_tools_test"));
}

}  // namespace
}  // namespace convoy::launcher
