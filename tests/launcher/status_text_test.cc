#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "launcher/status_report.h"
#include "launcher/utf8.h"
#include "tests/launcher/status_sample.h"

namespace convoy::launcher {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::message;
using ::testing::Not;
using testing::sample_epoch;
using testing::sample_rank;
using testing::sample_report;
using testing::sample_screen;

int widest(const std::string& text) {
  std::istringstream lines(text);
  int width = 0;
  for (std::string line; std::getline(lines, line);) {
    width = std::max(width, utf8_length(line));
  }
  return width;
}

TEST(StatusTextTest, RunIsSeenAtAGlance) {
  setenv("TZ", "UTC", 1);
  tzset();
  EXPECT_EQ(status_text(sample_report(), sample_screen()),
            R"(20250131-142501-tutorial-1  running, training  for 12m21s
tutorial on mnist, batch 32, 4 ranks x 1 thread

epoch        3 of 15    step 4,312 of 28,125
             ━━━━━━━────────────────────────────────────────   15 %  ETA 2m05s
train        loss  0.0453   accuracy  98.61 %   epoch 3 so far
test         loss  0.0512   accuracy  98.32 %   after epoch 2
speed        12,346 images/s
ranks        4 of 4 alive

01:58:20     step 4000 was left out: its loss is nan
01:46:40     registered
)");
}

TEST(StatusTextTest, TroubleIsNamed) {
  StatusReport report = sample_report();
  report.run.set_ranks_alive(3);
  report.run.set_waiting_for("rank 3 (node7)");
  report.run.set_lost_steps(12);
  *report.run.mutable_straggler() = message<v1::Straggler>(R"(rank: 3 host: "node7" factor: 1.8)");
  report.note = "process 1 is gone";
  EXPECT_THAT(status_text(report, sample_screen()),
              AllOf(HasSubstr("3 of 4 alive"), HasSubstr("for rank 3 (node7)"),
                    HasSubstr("12 steps, whose reports were dropped"),
                    HasSubstr("rank 3 (node7) computes 1.80 times as long as the others"),
                    HasSubstr("\nprocess 1 is gone\n")));
}

TEST(StatusTextTest, StoppedRunSaysHowToGoOn) {
  StatusReport report = sample_report();
  report.run.set_state(v1::RUN_STATE_STOPPED);
  report.run.set_state_reason("the machine is needed");
  report.run.mutable_end_time()->set_seconds(1000000680);
  report.run.clear_remaining();
  const std::string text = status_text(report, sample_screen());
  EXPECT_THAT(text, AllOf(HasSubstr("stopped  after 11m20s, 1m01s ago"),
                          HasSubstr("reason       the machine is needed"),
                          HasSubstr("resume       convoy train --resume '/data/my runs/1'")));
  EXPECT_THAT(text, AllOf(Not(HasSubstr("alive")), Not(HasSubstr("ETA"))));
}

TEST(StatusTextTest, RunWithoutAStepShowsNoNumbersOfIt) {
  StatusReport report = sample_report();
  for (const char* field :
       {"epoch_so_far", "last_epoch", "images_per_second", "remaining", "step"}) {
    report.run.GetReflection()->ClearField(&report.run,
                                           report.run.GetDescriptor()->FindFieldByName(field));
  }
  EXPECT_THAT(status_text(report, sample_screen()),
              AllOf(Not(HasSubstr("loss  ")), Not(HasSubstr("speed")), Not(HasSubstr("nan "))));
}

TEST(StatusTextTest, LinesFitTheTerminal) {
  StatusReport report = sample_report();
  report.run.set_state_reason(std::string(500, 'x'));
  report.ranks = {sample_rank(0, true), sample_rank(1, false)};
  report.epochs = {sample_epoch(1, 18126, 54000), sample_epoch(2, 5436, 58000)};
  for (int columns = 1; columns < 200; ++columns) {
    EXPECT_LE(widest(status_text(report, sample_screen(columns))), columns);
    EXPECT_LE(widest(status_lines(std::vector{report, report}, sample_screen(columns))), columns);
  }
}

TEST(StatusTextTest, NothingIsCutInAFile) {
  StatusReport report = sample_report();
  report.run.set_state_reason(std::string(500, 'x'));
  StatusScreen screen = sample_screen(40);
  screen.terminal.interactive = false;
  EXPECT_THAT(status_text(report, screen), HasSubstr(std::string(500, 'x')));
}

TEST(StatusTextTest, ColoursAreOnlyThereWhereTheyAreWanted) {
  StatusScreen screen = sample_screen();
  EXPECT_THAT(status_text(sample_report(), screen), Not(HasSubstr("\x1b")));
  screen.terminal.colour = true;
  EXPECT_THAT(status_text(sample_report(), screen), HasSubstr("\x1b[32mrunning\x1b[0m"));
}

TEST(StatusTextTest, AsciiTerminalGetsAscii) {
  StatusScreen screen = sample_screen();
  screen.terminal.unicode = false;
  StatusReport report = sample_report();
  report.run.set_state_reason("größer");
  report.epochs = {sample_epoch(1, 18126, 54000), sample_epoch(2, 5436, 58000)};
  const std::string text = status_text(report, screen);
  EXPECT_TRUE(std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 128; }))
      << text;
}

// Whatever a foreign coordinator or host sends, no byte of it commands the terminal.
TEST(StatusTextTest, TextOfOthersWritesNoEscapes) {
  const std::string evil =
      "\x1b[2J\x1b]0;owned\x07\r\n\xC2\x9B"
      "31m\x7F\xFF\xE2\x80\xAE";
  StatusReport report = sample_report();
  v1::Run& run = report.run;
  run.set_run(evil);
  run.set_state_reason(evil);
  run.set_waiting_for(evil);
  run.mutable_spec()->set_model(evil);
  run.mutable_spec()->set_dataset(evil);
  run.mutable_spec()->set_run_dir(evil);
  run.mutable_straggler()->set_host(evil);
  report.events[0].set_text(evil);
  report.note = evil;
  report.page = evil;
  report.ranks = {sample_rank(0, true)};
  report.ranks[0].mutable_info()->set_host(evil);
  for (const v1::RunState state : {v1::RUN_STATE_RUNNING, v1::RUN_STATE_LOST}) {
    run.set_state(state);
    for (const std::string& text : {status_text(report, sample_screen(500)),
                                    status_lines(std::vector{report}, sample_screen(500))}) {
      for (const char* bad : {"\x1b", "\x07", "\r", "\xC2\x9B", "\x7F", "\xFF", "\xE2\x80\xAE"}) {
        EXPECT_THAT(text, Not(HasSubstr(bad)));
      }
      EXPECT_THAT(text, HasSubstr("?[2J"));
    }
  }
}

TEST(StatusTextTest, RunsAreALineEach) {
  StatusReport other = sample_report();
  other.run.set_run("b");
  other.run.set_state(v1::RUN_STATE_SUCCEEDED);
  other.run.clear_remaining();
  other.run.set_step(28125);
  EXPECT_EQ(status_lines(std::vector{sample_report(), other}, sample_screen(120)),
            "run                         state      epoch    step   done    loss     test  "
            "images/s    ETA  ranks\n"
            "20250131-142501-tutorial-1  running     3/15   4,312   15 %  0.0453  98.32 %    "
            "12,346  2m05s    4/4\n"
            "b                           succeeded   3/15  28,125  100 %  0.0453  98.32 %\n");
  EXPECT_EQ(status_lines({}, sample_screen()), "no runs\n");
}

TEST(StatusTextTest, RanksAreATable) {
  EXPECT_EQ(ranks_text(std::vector{sample_rank(0, true), sample_rank(1, false)}, sample_screen()),
            "rank  host     pid   step  images/s  computing  waiting  last seen\n"
            "   0  node1  12345  4,312     3,086     8.1 ms   0.3 ms   1.0s ago  alive\n"
            "   1  node1  12345  4,312     3,086     8.1 ms   0.3 ms   1.0s ago  silent\n");
}

TEST(StatusTextTest, HistoryIsATableWithCurves) {
  StatusReport report;
  report.epochs = {sample_epoch(1, 18126, 54000), sample_epoch(2, 5436, 58000)};
  report.steps = {message<v1::StepMetrics>("sums { images: 32 correct: 8 loss_sum: 64 }"),
                  message<v1::StepMetrics>("sums { }"),  // left out
                  message<v1::StepMetrics>("sums { images: 32 correct: 30 loss_sum: 3.2 }")};
  EXPECT_EQ(history_text(report, sample_screen()),
            "epoch  train loss  accuracy  test loss  accuracy  images/s  time\n"
            "    1      0.3021   90.00 %     0.0512   98.32 %    12,346  4.9s\n"
            "    2      0.0906   96.67 %     0.0512   98.32 %    12,346  4.9s\n"
            "\n"
            "train loss      █ ▁  2.0000 to 0.1000\n"
            "train accuracy  ▁ █  25.00 % to 93.75 %\n"
            "test loss       ▁▁  0.0512 to 0.0512\n"
            "test accuracy   ▁▁  98.32 % to 98.32 %\n");
}

TEST(StatusTextTest, ExitCodeTellsHowTheRunEnded) {
  EXPECT_EQ(exit_code_of(v1::RUN_STATE_SUCCEEDED), 0);
  EXPECT_EQ(exit_code_of(v1::RUN_STATE_STOPPED), 75);
  EXPECT_EQ(exit_code_of(v1::RUN_STATE_FAILED), 1);
  EXPECT_EQ(exit_code_of(v1::RUN_STATE_LOST), 1);
}

}  // namespace
}  // namespace convoy::launcher
