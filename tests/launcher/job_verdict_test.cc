#include "launcher/job_verdict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

namespace convoy::launcher {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

JobEnd training_job(int exit_code) {
  return {.exit_code = exit_code,
          .report = {.notices = {{"joined", ""}, {"run_dir", "/r"}, {"step", "812"}}},
          .checkpoint = "/r/checkpoints/step-00000800",
          .resume_command = "convoy train -n 2 --resume r"};
}

TEST(JobVerdictTest, SuccessAndStopNeedNoWords) {
  EXPECT_EQ(judge(training_job(0)).exit_code, 0);
  EXPECT_EQ(judge(training_job(0)).text, "");
  EXPECT_EQ(judge(training_job(75)).exit_code, 75);
  EXPECT_EQ(judge(training_job(75)).text, "");
}

TEST(JobVerdictTest, StopThatMpirunCallsAFailureIsAStop) {
  JobEnd end = training_job(1);
  end.report.notices["stopped"] = "";
  EXPECT_EQ(judge(end).exit_code, 75);
  EXPECT_EQ(judge(end).text, "");
}

TEST(JobVerdictTest, KilledRankIsNamedWithStepCheckpointAndNextCommand) {
  JobEnd end = training_job(137);
  end.report.death = {.rank = 1, .host = "node7", .signal = SIGKILL};
  const Verdict verdict = judge(end);
  EXPECT_EQ(verdict.exit_code, 1);
  EXPECT_THAT(verdict.text,
              StartsWith("convoy: the job failed after step 812: rank 1 (node7) was killed (signal "
                         "9)\n"));
  EXPECT_THAT(verdict.text, HasSubstr("\nlast checkpoint: /r/checkpoints/step-00000800\n"
                                      "go on with: convoy train -n 2 --resume r\n"));
}

TEST(JobVerdictTest, CrashIsNamedByItsSignal) {
  JobEnd end = training_job(139);
  end.report.death = {.rank = 0, .host = "a", .signal = SIGSEGV};
  EXPECT_THAT(judge(end).text, HasSubstr("rank 0 (a) crashed (signal 11, Segmentation fault)"));
}

TEST(JobVerdictTest, WhatARankSaysOfItselfIsTheCause) {
  JobEnd end = training_job(1);
  end.report.error = "rank 1 (b): no space left on device";
  end.report.death = {.rank = 1, .host = "b", .signal = 0};
  EXPECT_THAT(judge(end).text, HasSubstr(": rank 1 (b): no space left on device\n"));
}

TEST(JobVerdictTest, SignalComesBeforeWhatOthersComplainOf) {
  JobEnd end = training_job(137);
  end.report.error = "rank 0 (a): rank 1 (b) did not answer";
  end.report.death = {.rank = 1, .host = "b", .signal = SIGKILL};
  EXPECT_THAT(judge(end).text, HasSubstr("rank 1 (b) was killed"));
}

TEST(JobVerdictTest, RanksOwnExitCodesArePassedOn) {
  EXPECT_EQ(judge(training_job(2)).exit_code, 2);
  EXPECT_EQ(judge(training_job(3)).exit_code, 3);
  EXPECT_EQ(judge(training_job(134)).exit_code, 1);
  EXPECT_EQ(judge(training_job(205)).exit_code, 1);
}

TEST(JobVerdictTest, LostMachineIsNamed) {
  JobEnd end = training_job(205);
  end.report.lost_host = "cvB";
  EXPECT_THAT(judge(end).text, HasSubstr("the connection to cvB is gone"));
}

TEST(JobVerdictTest, JobThatNeverBeganPointsAtMpirunsWords) {
  const Verdict verdict = judge({.exit_code = 213});
  EXPECT_EQ(verdict.exit_code, 1);
  EXPECT_THAT(verdict.text, HasSubstr("mpirun could not start the ranks (its exit code: 213)"));
  EXPECT_THAT(verdict.text, Not(HasSubstr("checkpoint")));
}

TEST(JobVerdictTest, MissingCheckpointIsSaid) {
  JobEnd end = training_job(1);
  end.checkpoint.reset();
  EXPECT_THAT(judge(end).text, HasSubstr("there is no checkpoint yet\n"));
  EXPECT_THAT(judge(end).text, Not(HasSubstr("--resume")));
}

TEST(JobVerdictTest, SecondInterruptIsTheUsersOwnDoing) {
  JobEnd end = training_job(1);
  end.interrupted = true;
  EXPECT_EQ(judge(end).exit_code, 1);
  EXPECT_THAT(judge(end).text, StartsWith("convoy: ended at once after step 812, as asked\n"));
}

}  // namespace
}  // namespace convoy::launcher
