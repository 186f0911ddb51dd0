#include "dist/coordinator/worker/back_off.h"

#include <gtest/gtest.h>

namespace convoy::dist {
namespace {

using std::chrono::milliseconds;

constexpr BackOff::Time kStart{std::chrono::hours(5)};

TEST(BackOffTest, WaitsLongerEachTimeUpToABound) {
  BackOff back_off({.first = milliseconds(100), .longest = milliseconds(5000)});
  EXPECT_FALSE(back_off.waiting());
  EXPECT_LE(back_off.retry_at(), kStart);
  milliseconds expected(100);
  for (int i = 0; i < 100; ++i) {
    back_off.failed(false, "gone", kStart);
    EXPECT_TRUE(back_off.waiting());
    EXPECT_GE(back_off.retry_at() - kStart, expected / 2);
    EXPECT_LE(back_off.retry_at() - kStart, expected);
    expected = std::min(2 * expected, milliseconds(5000));
  }
  back_off.answered();
  EXPECT_FALSE(back_off.waiting());
  EXPECT_LE(back_off.retry_at(), kStart);
  back_off.failed(false, "gone", kStart);
  EXPECT_LE(back_off.retry_at() - kStart, milliseconds(100)) << "it begins anew";
}

TEST(BackOffTest, LongAbsenceAndItsEndAreToldOnce) {
  BackOff back_off({.coordinator = "the coordinator at node1:50051"});
  EXPECT_EQ(back_off.failed(false, "connection refused\nmore", kStart), "");
  EXPECT_EQ(back_off.failed(false, "connection refused\nmore", kStart + milliseconds(999)), "");
  EXPECT_EQ(back_off.failed(false, "connection refused\nmore", kStart + milliseconds(1000)),
            "the coordinator at node1:50051 does not answer: connection refused; training goes "
            "on, and its reports are kept");
  EXPECT_EQ(back_off.failed(false, "connection refused", kStart + milliseconds(9000)), "");
  EXPECT_EQ(back_off.answered(), "the coordinator at node1:50051 answers again");
  EXPECT_EQ(back_off.answered(), "");
}

TEST(BackOffTest, ShortAbsencesAreNotWorthAWord) {
  BackOff back_off({});
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(back_off.failed(false, "gone", kStart + milliseconds(900 * i)), "");
    EXPECT_EQ(back_off.answered(), "");
  }
}

TEST(BackOffTest, SaysWhetherItIsThereAndRefuses) {
  BackOff back_off({});
  back_off.failed(true, "too many runs", kStart);
  EXPECT_EQ(back_off.failed(true, "too many runs", kStart + milliseconds(2000)),
            "the coordinator takes no reports: too many runs; training goes on, and its reports "
            "are kept");
}

}  // namespace
}  // namespace convoy::dist
