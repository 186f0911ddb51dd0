#include "launcher/live_screen.h"

#include <gtest/gtest.h>

namespace convoy::launcher {
namespace {

TEST(LiveScreenTest, FrameReplacesWhatStoodThere) {
  EXPECT_EQ(frame("a\nb\n", 24), "\x1b[Ha\x1b[K\nb\x1b[K\x1b[J");
  EXPECT_EQ(frame("", 24), "\x1b[H\x1b[J");
}

TEST(LiveScreenTest, FrameIsNoHigherThanTheTerminal) {
  EXPECT_EQ(frame("a\nb\nc\n", 2), "\x1b[Ha\x1b[K\nb\x1b[K\x1b[J");
  EXPECT_EQ(frame("a\nb", 2), "\x1b[Ha\x1b[K\nb\x1b[K\x1b[J");
}

TEST(LiveScreenTest, ElsewhereThanOnATerminalOnlyNewsArePrinted) {
  ::testing::internal::CaptureStdout();
  {
    LiveScreen screen({.interactive = false});
    screen.show("a\n", "foot\n");
    screen.show("a\n", "foot\n");
    screen.show("b\n");
  }
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "a\n\nb\n");
}

TEST(LiveScreenTest, TerminalIsGivenBackWithTheLastText) {
  ::testing::internal::CaptureStdout();
  {
    LiveScreen screen({.interactive = true});
    screen.show("a\n", "foot\n");
  }
  const std::string text = ::testing::internal::GetCapturedStdout();
  EXPECT_TRUE(text.starts_with("\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[Ha\x1b[K\nfoot\x1b[K\x1b[J"));
  EXPECT_TRUE(text.ends_with("\x1b[?7h\x1b[?25h\x1b[?1049la\n"));
}

}  // namespace
}  // namespace convoy::launcher
