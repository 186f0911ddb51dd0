#include "launcher/utf8.h"

#include <gtest/gtest.h>

namespace convoy::launcher {
namespace {

TEST(Utf8Test, ValidTextStays) {
  EXPECT_EQ(valid_utf8(""), "");
  EXPECT_EQ(valid_utf8("plain"), "plain");
  EXPECT_EQ(valid_utf8("größe 数字 😀"), "größe 数字 😀");
}

TEST(Utf8Test, BytesThatAreNoUtf8BecomeQuestionMarks) {
  EXPECT_EQ(valid_utf8("a\xFFz"), "a?z");
  EXPECT_EQ(valid_utf8("\xC3"), "?");                 // cut short
  EXPECT_EQ(valid_utf8("\xE6\x95z"), "??z");          // cut short by a letter
  EXPECT_EQ(valid_utf8("\x80"), "?");                 // continues nothing
  EXPECT_EQ(valid_utf8("\xC0\xAF"), "??");            // overlong
  EXPECT_EQ(valid_utf8("\xE0\x80\xAF"), "???");       // overlong
  EXPECT_EQ(valid_utf8("\xED\xA0\x80"), "???");       // a surrogate
  EXPECT_EQ(valid_utf8("\xF4\x90\x80\x80"), "????");  // beyond U+10FFFF
}

TEST(Utf8Test, ControlCharactersBecomeQuestionMarks) {
  EXPECT_EQ(valid_utf8("a\x1b[2Jb\n\x7F"), "a?[2Jb??");
  EXPECT_EQ(valid_utf8("\u009B"
                       "2J\u00A0"),
            "??2J\u00A0");  // CSI as one character
}

TEST(Utf8Test, ShownTextNeitherTurnsNorHides) {
  EXPECT_EQ(shown_text("größe\u202Eexe\u200B.\n", true), "größe?exe?.?");
  EXPECT_EQ(shown_text("größe", false), "gr?\?e");
  EXPECT_EQ(shown_text("12345", true, 5), "12345");
  EXPECT_EQ(shown_text("größer", true, 5), "größe...");
}

TEST(Utf8Test, LinesAreCutByCharactersAndKeepTheirColours) {
  EXPECT_EQ(fit_lines("größer\nab\n", 4), "größ\nab\n");
  EXPECT_EQ(fit_lines("a\x1b[31mbcd\x1b[0m\n\n", 2), "a\x1b[31mb\x1b[0m\n\n");
  EXPECT_EQ(fit_lines("a\x1b[3", 5), "a\x1b[3");
}

TEST(Utf8Test, LengthCountsCodePoints) {
  EXPECT_EQ(utf8_length(""), 0);
  EXPECT_EQ(utf8_length("größe"), 5);
  EXPECT_EQ(utf8_length("数字😀"), 3);
}

}  // namespace
}  // namespace convoy::launcher
