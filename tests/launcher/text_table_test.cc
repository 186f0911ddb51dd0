#include "launcher/text_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/check.h"

namespace convoy::launcher {
namespace {

using ::testing::ElementsAre;

TextTable sample() {
  TextTable table({{.heading = "name"},
                   {.heading = "number", .right = true, .rank = 1},
                   {.heading = "note", .rank = 2}});
  table.add({"größe", "7", "x"});
  table.add({"b", "1,234,567", ""});
  return table;
}

TEST(TextTableTest, ColumnsAreAlignedByCharacters) {
  EXPECT_THAT(sample().lines(80), ElementsAre("name      number  note",  //
                                              "größe          7  x",     //
                                              "b      1,234,567"));
}

TEST(TextTableTest, LeastImportantColumnsGoWhereSpaceIsShort) {
  EXPECT_THAT(sample().lines(22),
              ElementsAre("name      number  note", "größe          7  x", "b      1,234,567"));
  EXPECT_THAT(sample().lines(21),
              ElementsAre("name      number", "größe          7", "b      1,234,567"));
  EXPECT_THAT(sample().lines(15), ElementsAre("name", "größe", "b"));
  EXPECT_THAT(sample().lines(0), ElementsAre("name", "größe", "b"));
}

TEST(TextTableTest, RowOfAnotherLengthIsRefused) {
  TextTable table({{.heading = "a"}});
  EXPECT_THROW(table.add({"1", "2"}), Error);
}

}  // namespace
}  // namespace convoy::launcher
