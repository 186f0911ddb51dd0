#include "launcher/terminal.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace convoy::launcher {
namespace {

Terminal describe(bool is_terminal, const std::map<std::string, std::string>& variables) {
  return describe_terminal(is_terminal, [&](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

TEST(TerminalTest, TerminalIsRedrawnInColour) {
  const Terminal terminal = describe(true, {{"TERM", "xterm"}, {"LANG", "en_GB.UTF-8"}});
  EXPECT_TRUE(terminal.interactive);
  EXPECT_TRUE(terminal.colour);
  EXPECT_TRUE(terminal.unicode);
}

TEST(TerminalTest, PipeIsNeitherRedrawnNorColoured) {
  const Terminal pipe = describe(false, {{"TERM", "xterm"}, {"LANG", "C.UTF-8"}});
  EXPECT_FALSE(pipe.interactive);
  EXPECT_FALSE(pipe.colour);
}

TEST(TerminalTest, DumbOrUnnamedTerminalIsNotRedrawn) {
  EXPECT_FALSE(describe(true, {{"TERM", "dumb"}}).interactive);
  EXPECT_FALSE(describe(true, {{"TERM", ""}}).interactive);
  EXPECT_FALSE(describe(true, {}).interactive);
}

TEST(TerminalTest, NoColorTakesOnlyTheColourAway) {
  const Terminal terminal = describe(true, {{"TERM", "xterm"}, {"NO_COLOR", "1"}});
  EXPECT_TRUE(terminal.interactive);
  EXPECT_FALSE(terminal.colour);
  EXPECT_TRUE(describe(true, {{"TERM", "xterm"}, {"NO_COLOR", ""}}).colour);
}

TEST(TerminalTest, FirstLocaleVariableThatIsSetDecidesOnUnicode) {
  EXPECT_TRUE(describe(true, {{"LC_ALL", "C.utf8"}, {"LANG", "C"}}).unicode);
  EXPECT_FALSE(describe(true, {{"LC_ALL", "C"}, {"LANG", "C.UTF-8"}}).unicode);
  EXPECT_FALSE(describe(true, {}).unicode);
}

TEST(TerminalTest, DescriptionForRanksIsReadBack) {
  for (const bool colour : {false, true}) {
    for (const bool unicode : {false, true}) {
      const auto read = parse_terminal(terminal_text({.colour = colour, .unicode = unicode}, 132));
      ASSERT_TRUE(read);
      EXPECT_EQ(read->columns, 132);
      EXPECT_TRUE(read->terminal.interactive);
      EXPECT_EQ(read->terminal.colour, colour);
      EXPECT_EQ(read->terminal.unicode, unicode);
    }
  }
}

TEST(TerminalTest, TextThatDescribesNoTerminalIsNone) {
  for (const char* text : {"", "wide", "0 colour", "-5", "99999 unicode"}) {
    EXPECT_FALSE(parse_terminal(text)) << text;
  }
}

TEST(TerminalTest, DescriptorThatIsNoTerminalCountsAsEightyColumns) {
  EXPECT_EQ(terminal_columns(-1), 80);
  EXPECT_FALSE(terminal_of(-1).interactive);
}

}  // namespace
}  // namespace convoy::launcher
