#include "core/base/nearest.h"

#include <gtest/gtest.h>

#include <array>

namespace convoy {
namespace {

const std::array<std::string, 4> kKnown = {"conv2d", "linear", "max_pool2d", "relu"};

TEST(NearestTest, OneWrongLetterIsForgiven) {
  EXPECT_EQ(did_you_mean("conv2", kKnown), " (did you mean 'conv2d'?)");
  EXPECT_EQ(did_you_mean("linaer", kKnown), " (did you mean 'linear'?)");
  EXPECT_EQ(did_you_mean("relv", kKnown), " (did you mean 'relu'?)");
}

TEST(NearestTest, CaseDoesNotCount) {
  EXPECT_EQ(did_you_mean("ReLU", kKnown), " (did you mean 'relu'?)");
  EXPECT_EQ(did_you_mean("MaxPool2d", kKnown), " (did you mean 'max_pool2d'?)");
}

TEST(NearestTest, TheNearestOfSeveralIsNamed) {
  const std::array<std::string, 3> known = {"abcdef", "abcxef", "abcxyf"};
  EXPECT_EQ(did_you_mean("abcxyz", known), " (did you mean 'abcxyf'?)");
}

TEST(NearestTest, NameThatCameFromAFileIsEscaped) {
  const std::array<std::string, 1> known = {"fc1.weigh\x1b"};
  EXPECT_EQ(did_you_mean("fc1.weight", known), R"( (did you mean 'fc1.weigh\x1b'?))");
}

TEST(NearestTest, NothingNearGivesNoAdvice) {
  EXPECT_EQ(did_you_mean("transformer", kKnown), "");
  EXPECT_EQ(did_you_mean("", kKnown), "");
  EXPECT_EQ(did_you_mean("conv2d", {}), "");
  EXPECT_EQ(did_you_mean(std::string(100000, 'x'), kKnown), "");
}

}  // namespace
}  // namespace convoy
