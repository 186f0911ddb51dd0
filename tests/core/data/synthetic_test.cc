#include "core/data/synthetic.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <set>

#include "core/base/check.h"
#include "core/base/parallel.h"
#include "core/data/glyphs.h"

namespace convoy::data {
namespace {

std::uint64_t fnv1a(std::span<const std::uint8_t> bytes) {
  return std::accumulate(
      bytes.begin(), bytes.end(), std::uint64_t{0xcbf29ce484222325},
      [](std::uint64_t hash, std::uint8_t byte) { return (hash ^ byte) * 0x100000001b3; });
}

TEST(SyntheticTest, DefaultSizesAndAllDigits) {
  EXPECT_EQ(draw_synthetic({}).size(), 10'000);
  const Dataset test = draw_synthetic({.split = Split::kTest});
  EXPECT_EQ(test.size(), 2'000);
  std::array<int, 10> counts{};
  for (const std::uint8_t label : test.labels()) {
    ++counts.at(label);
  }
  EXPECT_GT(*std::ranges::min_element(counts), 100);
}

TEST(SyntheticTest, SameBitsOnEveryMachine) {
  const Dataset digits = draw_synthetic({.size = 500, .seed = 3});
  std::uint64_t hash = fnv1a(digits.labels());
  for (std::int64_t id = 0; id < digits.size(); ++id) {
    hash = hash * 31 + fnv1a(digits.image(id));
  }
  EXPECT_EQ(hash, 3649080334906902923U);
}

TEST(SyntheticTest, AnImageDependsOnSeedSplitAndIdAlone) {
  const int threads = num_threads();
  set_num_threads(3);
  const Dataset few = draw_synthetic({.size = 5, .seed = 1});
  set_num_threads(threads);
  const Dataset many = draw_synthetic({.size = 50, .seed = 1});
  for (std::int64_t id = 0; id < few.size(); ++id) {
    EXPECT_TRUE(std::ranges::equal(few.image(id), many.image(id)));
    EXPECT_EQ(few.label(id), many.label(id));
  }
  EXPECT_FALSE(std::ranges::equal(few.image(0), draw_synthetic({.size = 1}).image(0)));
}

TEST(SyntheticTest, NoImageIsInBothSplits) {
  std::set<std::uint64_t> seen;
  for (const Split split : {Split::kTrain, Split::kTest}) {
    const Dataset digits = draw_synthetic({.split = split});
    for (std::int64_t id = 0; id < digits.size(); ++id) {
      seen.insert(fnv1a(digits.image(id)));
    }
  }
  EXPECT_EQ(seen.size(), 12'000U);
}

TEST(SyntheticTest, ImpossibleSizeIsRefused) {
  EXPECT_THROW(draw_synthetic({.size = -1}), Error);
  EXPECT_THROW(draw_synthetic({.size = 10'000'001}), Error);
}

TEST(GlyphsTest, EveryDigitHasAWayAndNothingElseHas) {
  for (int digit = 0; digit < 10; ++digit) {
    EXPECT_FALSE(glyphs_of(digit).empty());
  }
  EXPECT_THROW(glyphs_of(10), Error);
}

TEST(GlyphsTest, SmoothStrokesPassThroughTheirPoints) {
  const Stroke stroke = {.smooth = true, .points = {{0, 0}, {1, 0}, {1, 1}, {0, 0}}};
  const std::vector<Point> line = flatten(stroke);
  EXPECT_GT(line.size(), 10U);
  for (const Point& point : stroke.points) {
    EXPECT_TRUE(std::ranges::any_of(line, [&](const Point& p) {
      return std::abs(p.x - point.x) + std::abs(p.y - point.y) < 1e-6F;
    }));
  }
}

}  // namespace
}  // namespace convoy::data
