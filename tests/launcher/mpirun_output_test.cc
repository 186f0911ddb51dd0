#include "launcher/mpirun_output.h"

#include <gtest/gtest.h>

#include <vector>

namespace convoy::launcher {
namespace {

const std::string kRule = std::string(74, '-') + "\n";

const std::string kKilled = kRule +
                            "mpirun noticed that process rank 1 with PID 0 on node vm exited on "
                            "signal 9 (Killed).\n" +
                            kRule;
const std::string kTerminated =
    kRule +
    "Primary job  terminated normally, but 1 process returned\n"
    "a non-zero exit code. Per user-direction, the job has been aborted.\n" +
    kRule;
const std::string kAbort = kRule +
                           "MPI_ABORT was invoked on rank 1 in communicator MPI_COMM_WORLD\n"
                           "with errorcode 3.\n\nNOTE: invoking MPI_ABORT causes Open MPI\n" +
                           kRule;

struct Seen {
  std::string shown;
  JobReport report;
};

Seen seen(const std::vector<std::string>& pieces) {
  MpirunOutput output;
  std::string shown;
  for (const std::string& piece : pieces) {
    shown += output.take(piece);
  }
  shown += output.finish();
  return {.shown = shown, .report = output.report()};
}

// The same bytes, one at a time.
Seen seen_bytewise(const std::string& text) {
  std::vector<std::string> bytes;
  for (const char byte : text) {
    bytes.emplace_back(1, byte);
  }
  return seen(bytes);
}

TEST(MpirunOutputTest, WhatRanksSayIsShownAtOnce) {
  MpirunOutput output;
  EXPECT_EQ(output.take("epoch  1/15 "), "epoch  1/15 ");
  EXPECT_EQ(output.take("\repoch  2/15"), "\repoch  2/15");
  EXPECT_FALSE(output.at_line_start());
  EXPECT_EQ(output.take("\nab - c\n"), "\nab - c\n");
  EXPECT_TRUE(output.at_line_start());
}

TEST(MpirunOutputTest, RemarksOfMpirunAreReadAndNotShown) {
  for (const Seen& result : {seen({"one\n" + kTerminated + kKilled + "two\n"}),
                             seen_bytewise("one\n" + kTerminated + kKilled + "two\n")}) {
    EXPECT_EQ(result.shown, "one\ntwo\n");
    ASSERT_TRUE(result.report.death);
    EXPECT_EQ(result.report.death->rank, 1);
    EXPECT_EQ(result.report.death->host, "vm");
    EXPECT_EQ(result.report.death->signal, 9);
  }
}

TEST(MpirunOutputTest, RemarkInTheMiddleOfABarIsNotShown) {
  EXPECT_EQ(seen({"\r 10 % loss 2.3" + kAbort + "mpirun: Forwarding signal 10 to job\n"}).shown,
            "\r 10 % loss 2.3\n");
}

TEST(MpirunOutputTest, UnknownRemarkIsShown) {
  const std::string refusal =
      kRule + "There are not enough slots available in the system to satisfy the 3\n" + kRule;
  EXPECT_EQ(seen({refusal}).shown, refusal);
  EXPECT_EQ(seen_bytewise(refusal).shown, refusal);
}

TEST(MpirunOutputTest, RemarkWithoutAnEndIsShownInTheEnd) {
  EXPECT_EQ(seen({kRule + "never ended"}).shown, kRule + "never ended\n");
  MpirunOutput output;
  EXPECT_NE(output.take(kRule + std::string(10'000, 'x')), "");
}

TEST(MpirunOutputTest, ShortRowsOfDashesAreOrdinaryText) {
  EXPECT_EQ(seen({"a ---", "- b\n--------\n"}).shown, "a ---- b\n--------\n");
}

TEST(MpirunOutputTest, FirstErrorOfARankIsRemembered) {
  const Seen result =
      seen({"convoy: rank 1 (node7): no space", " left\n  detail\nconvoy: rank 0 (a): late\n"});
  EXPECT_EQ(result.report.error, "rank 1 (node7): no space left");
  EXPECT_EQ(result.shown,
            "convoy: rank 1 (node7): no space left\n  detail\nconvoy: rank 0 (a): late\n");
}

TEST(MpirunOutputTest, ErrorBeginsALineOfItsOwn) {
  const Seen result = seen({"\r 10 % loss", "convoy: rank 1 (b): broken\n"});
  EXPECT_EQ(result.shown, "\r 10 % loss\nconvoy: rank 1 (b): broken\n");
  EXPECT_EQ(result.report.error, "rank 1 (b): broken");
}

TEST(MpirunOutputTest, NoticesAreTakenOut) {
  for (const Seen& result : {seen({"a\x1estep=12\nb\x1ejoined=\nc\x1estep=13\n"}),
                             seen_bytewise("a\x1estep=12\nb\x1ejoined=\nc\x1estep=13\n")}) {
    EXPECT_EQ(result.shown, "abc\n");
    EXPECT_EQ(result.report.notices.at("step"), "13");
    EXPECT_TRUE(result.report.has("joined"));
    EXPECT_FALSE(result.report.has("stopped"));
  }
}

TEST(MpirunOutputTest, LostMachineIsNamed) {
  const Seen result = seen({kRule +
                            "ORTE has lost communication with a remote daemon.\n\n"
                            "  HNP daemon   : [[35270,0],0] on node cvA\n"
                            "  Remote daemon: [[35270,0],1] on node cvB\n\n"
                            "This is usually due to either a failure of the TCP network\n" +
                            kRule});
  EXPECT_EQ(result.report.lost_host, "cvB");
  EXPECT_EQ(result.shown, "");
}

TEST(MpirunOutputTest, RankThatLeftEarlyIsNoSignal) {
  const Seen result = seen({kRule +
                            "mpirun has exited due to process rank 2 with PID 0 on\n"
                            "node vm exiting improperly. There are three reasons this could\n" +
                            kRule});
  ASSERT_TRUE(result.report.death);
  EXPECT_EQ(result.report.death->rank, 2);
  EXPECT_EQ(result.report.death->host, "vm");
  EXPECT_EQ(result.report.death->signal, 0);
}

}  // namespace
}  // namespace convoy::launcher
