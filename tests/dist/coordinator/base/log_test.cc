#include "dist/coordinator/base/log.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace convoy::dist {
namespace {

class LogTest : public ::testing::Test {
 protected:
  void TearDown() override { set_log_level(LogLevel::kWarning); }
};

template <typename Write>
std::string written(const Write& write) {
  ::testing::internal::CaptureStderr();
  write();
  return ::testing::internal::GetCapturedStderr();
}

TEST_F(LogTest, OnlyLinesOfTheLevelAndAboveAreWritten) {
  const std::string text = written([] {
    log(LogLevel::kInfo, "an info");
    log(LogLevel::kWarning, "a warning about {}", 42);
    log(LogLevel::kError, "an error");
  });
  EXPECT_EQ(text.find("an info"), std::string::npos) << text;
  EXPECT_NE(text.find("a warning about 42"), std::string::npos) << text;
  EXPECT_NE(text.find("an error"), std::string::npos) << text;
  set_log_level(LogLevel::kError);
  EXPECT_EQ(written([] { log(LogLevel::kWarning, "a warning"); }), "");
}

TEST_F(LogTest, WhatOutsidersCauseIsBoundedAndCounted) {
  const std::string flood = written([] {
    for (int i = 0; i < 100'000; ++i) {
      log_from_outside(LogLevel::kWarning, "line {}", i);
    }
    while (!detail::take_from_log_budget(LogLevel::kWarning)) {  // tells of them first
    }
  });
  const auto lines = std::ranges::count(flood, '\n');
  EXPECT_LT(lines, 1000) << "ten a second, however slow this machine";
  EXPECT_NE(flood.find("more lines of this kind were left out"), std::string::npos) << flood;
  EXPECT_EQ(written([] { log_from_outside(LogLevel::kDebug, "too fine"); }), "");
}

}  // namespace
}  // namespace convoy::dist
