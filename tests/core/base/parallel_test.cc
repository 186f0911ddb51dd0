#include "core/base/parallel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <numeric>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/check.h"

namespace convoy {
namespace {

class ParallelForTest : public ::testing::TestWithParam<int> {
 protected:
  void SetUp() override { set_num_threads(GetParam()); }
};

TEST_P(ParallelForTest, VisitsEveryItemOnce) {
  for (const int count : {0, 1, 2, 3, 7, 100}) {
    std::vector<std::atomic<int>> visits(static_cast<std::size_t>(count));
    parallel_for(count, [&](std::int64_t begin, std::int64_t end, int thread) {
      EXPECT_LT(thread, num_threads());
      for (std::int64_t i = begin; i < end; ++i) {
        ++visits[static_cast<std::size_t>(i)];
      }
    });
    for (const auto& visit : visits) {
      EXPECT_EQ(visit, 1);
    }
  }
}

TEST_P(ParallelForTest, SharesAreEvenAndOneForEachThread) {
  for (const std::int64_t count : {1, 2, 7, 100}) {
    std::vector<std::int64_t> shares(static_cast<std::size_t>(num_threads()));
    parallel_shares(count, [&](std::int64_t begin, std::int64_t end, int thread) {
      EXPECT_EQ(std::exchange(shares[static_cast<std::size_t>(thread)], end - begin), 0);
    });
    EXPECT_EQ(std::accumulate(shares.begin(), shares.end(), std::int64_t{0}), count);
    EXPECT_LE(*std::ranges::max_element(shares), (count + num_threads() - 1) / num_threads());
  }
}

// The first thread stays in its first range until all others are done.
TEST_P(ParallelForTest, OthersDoWhatASlowThreadDoesNotComeTo) {
  constexpr std::int64_t kCount = 1000;
  std::atomic<std::int64_t> done = 0;
  std::atomic<std::int64_t> first = 0;
  parallel_for(kCount, [&](std::int64_t begin, std::int64_t end, int thread) {
    if (thread == 0 && first == 0 && num_threads() > 1) {
      first = end - begin;
      while (done + first < kCount) {
        std::this_thread::yield();
      }
    }
    done += end - begin;
  });
  EXPECT_EQ(done, kCount);
  EXPECT_LE(first, kCount / (2 * num_threads()));
}

TEST_P(ParallelForTest, RethrowsAndGoesOnWorking) {
  EXPECT_THROW(parallel_for(10, [](std::int64_t, std::int64_t, int) { fail("broken"); }), Error);
  std::atomic<std::int64_t> sum = 0;
  parallel_for(10, [&](std::int64_t begin, std::int64_t end, int) { sum += end - begin; });
  EXPECT_EQ(sum, 10);
}

TEST_P(ParallelForTest, NestedCallsRunOnTheCallingThread) {
  std::atomic<std::int64_t> sum = 0;
  parallel_for(8, [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t i = begin; i < end; ++i) {
      parallel_for(5, [&](std::int64_t first, std::int64_t last, int) { sum += last - first; });
    }
  });
  EXPECT_EQ(sum, 40);
}

INSTANTIATE_TEST_SUITE_P(Threads, ParallelForTest, ::testing::Values(1, 2, 5));

}  // namespace
}  // namespace convoy
