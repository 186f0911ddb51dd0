#include "core/base/printable.h"

#include <gtest/gtest.h>

#include <string>

namespace convoy {
namespace {

TEST(PrintableTest, TextIsQuoted) {
  EXPECT_EQ(fmt::format("{}", printable("fc1.weight")), "'fc1.weight'");
  EXPECT_EQ(fmt::format("{}", printable("")), "''");
}

TEST(PrintableTest, ControlCharactersAndBrokenUtf8AreEscaped) {
  EXPECT_EQ(fmt::format("{}", printable("a\x1b[2J\n\xff")), R"('a\x1b[2J\n\xff')");
}

TEST(PrintableTest, LongTextIsCutShort) {
  EXPECT_EQ(fmt::format("{}", printable(std::string(101, 'x'))),
            "'" + std::string(100, 'x') + "...'");
}

}  // namespace
}  // namespace convoy
