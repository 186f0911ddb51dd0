#include "core/base/random.h"

#include <gtest/gtest.h>

#include <set>

namespace convoy {
namespace {

// Known answers of Random123's kat_vectors for philox4x32-10.
TEST(PhiloxTest, GivesThePublishedNumbersForZeros) {
  EXPECT_EQ(philox({.seed = 0, .stream = Stream{0}}, 0),
            (std::array<std::uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
}

TEST(PhiloxTest, GivesThePublishedNumbersForOnes) {
  EXPECT_EQ(philox({.seed = 0xffffffffffffffff,
                    .stream = Stream{0xff},
                    .layer = 0xffffff,
                    .step = 0xffffffff,
                    .sample = 0xffffffff},
                   0xffffffff),
            (std::array<std::uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
}

TEST(RandomSequenceTest, BelowReachesEveryValueAndNoOther) {
  RandomSequence random({.seed = 3});
  std::set<std::uint32_t> seen;
  for (int i = 0; i < 1000; ++i) {
    seen.insert(random.below(7));
  }
  EXPECT_EQ(seen, (std::set<std::uint32_t>{0, 1, 2, 3, 4, 5, 6}));
}

TEST(RandomSequenceTest, NormalHasMeanZeroAndVarianceOne) {
  RandomSequence random({.seed = 4});
  double sum = 0;
  double squares = 0;
  constexpr int kCount = 100000;
  for (int i = 0; i < kCount; ++i) {
    const double x = random.normal();
    sum += x;
    squares += x * x;
  }
  EXPECT_NEAR(sum / kCount, 0.0, 0.02);
  EXPECT_NEAR(squares / kCount, 1.0, 0.02);
}

}  // namespace
}  // namespace convoy
