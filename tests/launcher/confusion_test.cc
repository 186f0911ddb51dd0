#include "launcher/confusion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/expect_error.h"

namespace convoy::launcher {
namespace {

using ::testing::HasSubstr;

ConfusionMatrix pets() {
  ConfusionMatrix matrix({"cat", "dog", "axolotl"});
  matrix.add(0, 0, 1234);
  matrix.add(0, 1, 7);
  matrix.add(1, 1, 90);
  matrix.add(1, 0, 10);
  return matrix;
}

TEST(ConfusionMatrixTest, CountsByTruthAndPrediction) {
  const ConfusionMatrix matrix = pets();
  EXPECT_EQ(matrix.count(0, 1), 7);
  EXPECT_EQ(matrix.count(1, 0), 10);
  EXPECT_EQ(matrix.row_total(0), 1241);
  EXPECT_EQ(matrix.total(), 1341);
  EXPECT_EQ(matrix.correct(), 1324);
  EXPECT_DOUBLE_EQ(matrix.recall(1), 0.9);
  EXPECT_DOUBLE_EQ(matrix.accuracy(), 1324.0 / 1341);
}

TEST(ConfusionMatrixTest, SharesOfNothingAreNan) {
  EXPECT_TRUE(std::isnan(pets().recall(2)));
  EXPECT_TRUE(std::isnan(ConfusionMatrix({"cat"}).accuracy()));
}

TEST(ConfusionMatrixTest, FrequentConfusionsComeMostFrequentFirst) {
  const auto confusions = pets().frequent_confusions(10);
  ASSERT_EQ(confusions.size(), 2U);
  EXPECT_EQ(confusions[0].truth, 1);
  EXPECT_EQ(confusions[0].predicted, 0);
  EXPECT_EQ(confusions[0].count, 10);
  EXPECT_EQ(confusions[1].count, 7);
  EXPECT_EQ(pets().frequent_confusions(1).size(), 1U);
}

TEST(ConfusionMatrixTest, NoClassIsRefused) {
  testing::expect_error([] { ConfusionMatrix({}); }, "at least one class");
}

TEST(ConfusionTextTest, TableIsAlignedWithDotsForZero) {
  EXPECT_EQ(confusion_text(pets(), {}),
            "true \\ predicted     cat     dog axolotl    recall\n"
            "cat                 1234       7       .   99.44 %\n"
            "dog                   10      90       .   90.00 %\n"
            "axolotl                .       .       .       nan\n"
            "1,324 of 1,341 correct: 98.73 %\n");
}

TEST(ConfusionTextTest, HeadingsAreCutBeforeTheTableIsTooWide) {
  EXPECT_EQ(confusion_text(pets(), {.columns = 42}),
            "true \\ predicted  cat  dog axol    recall\n"
            "cat              1234    7    .   99.44 %\n"
            "dog                10   90    .   90.00 %\n"
            "axolotl             .    .    .       nan\n"
            "1,324 of 1,341 correct: 98.73 %\n");
}

TEST(ConfusionTextTest, TableThatCannotFitBecomesAList) {
  EXPECT_EQ(confusion_text(pets(), {.columns = 40}),
            "recall of each class\n"
            "  cat       99.44 %  1,234 of 1,241\n"
            "  dog       90.00 %  90 of 100\n"
            "  axolotl       nan  0 of 0\n"
            "most frequent mistakes\n"
            "      10 times dog was taken for cat\n"
            "       7 times cat was taken for dog\n"
            "1,324 of 1,341 correct: 98.73 %\n");
}

TEST(ConfusionTextTest, ColourDimsZerosAndMarksMistakes) {
  ConfusionMatrix matrix({"a", "b"});
  matrix.add(0, 0, 3);
  matrix.add(1, 0, 1);
  EXPECT_EQ(confusion_text(matrix, {.colour = true}),
            "true \\ predicted   a   b    recall\n"
            "a                  3 \x1b[2m  .\x1b[0m  100.00 %\n"
            "b                \x1b[31m  1\x1b[0m \x1b[2m  .\x1b[0m    0.00 %\n"
            "3 of 4 correct: 75.00 %\n");
}

TEST(ConfusionTextTest, NamesAreMeasuredInLettersNotBytes) {
  ConfusionMatrix matrix({"größe", "\x1b[31m"});
  matrix.add(0, 0, 1);
  EXPECT_THAT(confusion_text(matrix, {}), HasSubstr("true \\ predicted größe ?[31m    recall\n"
                                                    "größe                1     .  100.00 %\n"));
}

}  // namespace
}  // namespace convoy::launcher
