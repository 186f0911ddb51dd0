#include "launcher/progress.h"

#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <sstream>

namespace convoy::launcher {
namespace {

using std::chrono::milliseconds;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr EpochMetrics kEpoch = {.epoch = 3,
                                 .train_loss = 0.0453,
                                 .train_accuracy = 0.9861,
                                 .test_loss = 0.0512,
                                 .test_accuracy = 0.9832,
                                 .images_per_second = 12345.4,
                                 .seconds = std::chrono::duration<double>(65)};

// A progress display on a clock and a window that the test moves.
class ProgressTest : public ::testing::Test {
 protected:
  Progress make(Terminal terminal, int epochs = 15, bool quiet = false) {
    return Progress({.out = &out_,
                     .terminal = terminal,
                     .columns = [this] { return columns_; },
                     .now = [this] { return now_; },
                     .epochs = epochs,
                     .quiet = quiet});
  }

  void pass(milliseconds time) { now_ += time; }

  // What was written since the last call.
  std::string written() {
    std::string text = out_.str();
    out_.str("");
    return text;
  }

  int columns_ = 80;

 private:
  Progress::TimePoint now_ = Progress::TimePoint(std::chrono::hours(5));
  std::ostringstream out_;
};

constexpr Terminal kPipe = {};
constexpr Terminal kAscii = {.interactive = true};
constexpr Terminal kUnicode = {.interactive = true, .unicode = true};
constexpr Terminal kColour = {.interactive = true, .colour = true, .unicode = true};

TEST_F(ProgressTest, BarFillsTheLineButForItsLastColumn) {
  Progress progress = make(kAscii);
  progress.begin_epoch(3, 60000);
  EXPECT_EQ(written(), "\repoch  3/15  ----------------------------------------    0 %\x1b[K");
  pass(milliseconds(2500));
  progress.update({.images = 30000, .loss = 0.0453, .accuracy = 0.98612});
  EXPECT_EQ(written(),
            "\repoch  3/15  ##---   50 %  loss 0.0453  acc 98.61 %  12,000 images/s  ETA 2.5s"
            "\x1b[K");
}

TEST_F(ProgressTest, WideTerminalShowsWhatIsLeftOfTheRun) {
  columns_ = 120;
  Progress progress = make(kUnicode);
  progress.begin_epoch(3, 1000);
  written();
  pass(milliseconds(6000));
  progress.update({.images = 250, .loss = 2.3026, .accuracy = 0.1});
  EXPECT_EQ(written(),
            "\repoch  3/15  ━━━━━━━━━╸────────────────────────────   25 %  loss 2.3026  "
            "acc 10.00 %  42 images/s  ETA 18s  run 5m06s\x1b[K");
}

TEST_F(ProgressTest, ColourFramesOnlyTheBar) {
  columns_ = 37;
  Progress progress = make(kColour);
  progress.begin_epoch(1, 100);
  written();
  pass(milliseconds(1000));
  progress.update({.images = 50});
  EXPECT_EQ(written(), "\repoch  1/15  \x1b[36m━━╸\x1b[0m\x1b[2m──\x1b[0m   50 %  ETA 1.0s\x1b[K");
}

TEST_F(ProgressTest, NeverLongerThanTheTerminal) {
  Progress progress = make(kAscii);
  for (columns_ = 1; columns_ < 200; ++columns_) {
    progress.begin_epoch(3, 60000);
    pass(milliseconds(2500));
    progress.update({.images = 31999, .loss = 0.0453, .accuracy = 0.98612});
    std::string text = written();
    text = text.substr(text.rfind('\r') + 1);
    EXPECT_LT(text.size() - std::string("\x1b[K").size(), static_cast<std::size_t>(columns_));
  }
}

TEST_F(ProgressTest, NarrowTerminalKeepsTheLabelAndLosesTheRest) {
  columns_ = 12;
  Progress progress = make(kAscii);
  progress.begin_epoch(3, 100);
  EXPECT_EQ(written(), "\repoch  3/15\x1b[K");
  columns_ = 6;
  pass(milliseconds(100));
  progress.update({.images = 1});
  EXPECT_EQ(written(), "\repoch\x1b[K");
}

TEST_F(ProgressTest, RedrawsAtMostTenTimesASecond) {
  Progress progress = make(kAscii);
  progress.begin_epoch(1, 1000);
  int redraws = 0;
  written();
  for (int i = 1; i <= 1000; ++i) {
    pass(milliseconds(1));
    progress.update({.images = i});
    redraws += written().empty() ? 0 : 1;
  }
  EXPECT_EQ(redraws, 10);
}

TEST_F(ProgressTest, EpochLineTakesThePlaceOfTheBar) {
  columns_ = 120;
  Progress progress = make(kAscii);
  progress.begin_epoch(3, 60000);
  written();
  progress.finish_epoch(kEpoch);
  EXPECT_EQ(written(),
            "\r\x1b[K"
            "epoch  3/15  train loss 0.0453, accuracy 98.61 %  test loss 0.0512, accuracy 98.32 %"
            "  12,345 images/s  1m05s\n");
}

TEST_F(ProgressTest, NoteStandsAboveTheBar) {
  columns_ = 30;
  Progress progress = make(kAscii);
  progress.begin_epoch(3, 60000);
  written();
  progress.note("checkpoint saved");
  EXPECT_EQ(written(), "\r\x1b[Kcheckpoint saved\nepoch  3/15  ---------    0 %");
}

TEST_F(ProgressTest, BarIsGoneAfterEndAndAfterDestruction) {
  {
    Progress progress = make(kAscii);
    progress.begin("testing", 10);
    written();
    progress.end();
    EXPECT_EQ(written(), "\r\x1b[K");
    progress.end();
    EXPECT_EQ(written(), "");
    pass(milliseconds(100));
    progress.begin("testing", 10);
    written();
  }
  EXPECT_EQ(written(), "\r\x1b[K");
}

TEST_F(ProgressTest, PipeGetsPlainLinesEveryTenSeconds) {
  Progress progress = make(kPipe);
  progress.begin_epoch(3, 60000);
  EXPECT_EQ(written(), "");
  pass(milliseconds(9999));
  progress.update({.images = 29000, .loss = 0.05, .accuracy = 0.98});
  EXPECT_EQ(written(), "");
  pass(milliseconds(1));
  progress.update({.images = 30000, .loss = 0.0453, .accuracy = 0.98612});
  EXPECT_EQ(written(),
            "epoch  3/15   50 %  loss 0.0453  acc 98.61 %  3,000 images/s  ETA 10s  run 4m10s\n");
  pass(milliseconds(9999));
  progress.update({.images = 60000, .loss = 0.04, .accuracy = 0.98});
  EXPECT_EQ(written(), "");
}

TEST_F(ProgressTest, EpochShorterThanTheIntervalIsOneLineInAPipe) {
  Progress progress = make(kPipe);
  for (int epoch = 1; epoch <= 3; ++epoch) {
    progress.begin_epoch(epoch, 100);
    pass(milliseconds(6000));
    progress.update({.images = 100, .loss = 1, .accuracy = 0.5});
    EXPECT_EQ(written(), "");
    progress.finish_epoch(kEpoch);
    EXPECT_EQ(written(), epoch_line(kEpoch, 15, 1000) + "\n");
  }
}

TEST_F(ProgressTest, QuietShowsNotesAlone) {
  Progress progress = make(kAscii, 15, /*quiet=*/true);
  progress.begin_epoch(1, 100);
  pass(milliseconds(1000));
  progress.update({.images = 50});
  progress.finish_epoch(kEpoch);
  EXPECT_EQ(written(), "");
  progress.note("checkpoint saved");
  EXPECT_EQ(written(), "checkpoint saved\n");
}

TEST_F(ProgressTest, MoreImagesThanExpectedStaysAtAHundredPercent) {
  columns_ = 60;
  Progress progress = make(kAscii);
  progress.begin("testing", 10);
  written();
  pass(milliseconds(1000));
  progress.update({.images = 20});
  EXPECT_EQ(written(), "\rtesting  ###################  100 %  20 images/s  ETA 0.0s\x1b[K");
}

TEST_F(ProgressTest, PassOverNothingHasNoNumbersToShow) {
  columns_ = 30;
  Progress progress = make(kAscii);
  progress.begin("testing", 0);
  EXPECT_EQ(written(), "\rtesting  -------------    0 %\x1b[K");
}

TEST(EpochLineTest, UsesFewerWordsWhereTheFullLineWouldWrap) {
  EXPECT_EQ(epoch_line(kEpoch, 15, 80),
            "epoch  3/15  train 0.0453 98.61 %  test 0.0512 98.32 %  12,345 images/s  1m05s");
}

TEST(EpochLineTest, WithoutATestSaysNothingOfIt) {
  EXPECT_EQ(epoch_line({.epoch = 1, .train_loss = 0.5, .train_accuracy = 0.09}, 1, 100),
            "epoch 1/1  train loss 0.5000, accuracy  9.00 %  0.0 images/s  0.0s");
}

TEST(EpochLineTest, DivergedTrainingIsShownAsNan) {
  EXPECT_EQ(epoch_line({.epoch = 1,
                        .train_loss = kNan,
                        .train_accuracy = 0.1,
                        .test_loss = kNan,
                        .test_accuracy = 0.098},
                       1, 60),
            "epoch 1/1  train nan 10.00 %  test nan  9.80 %  0.0 images/s  0.0s");
}

}  // namespace
}  // namespace convoy::launcher
