#include "core/data/augment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "core/base/check.h"
#include "core/data/synthetic.h"

namespace convoy::data {
namespace {

struct Image {
  std::int64_t height, width, channels;
  std::vector<std::uint8_t> pixels =
      std::vector<std::uint8_t>(static_cast<std::size_t>(height * width * channels));
};

std::vector<float> apply(const AugmentOptions& options, const Image& image,
                         std::uint32_t sample = 0, float divisor = 1.0F) {
  const Augmenter augmenter(options, image.height, image.width, image.channels);
  std::vector<float> out(image.pixels.size(), -1.0F);
  std::vector<float> scratch(static_cast<std::size_t>(augmenter.scratch_size()), -1.0F);
  augmenter.apply(image.pixels, {.stream = Stream::kAugment, .sample = sample}, divisor, scratch,
                  out);
  return out;
}

// Bright square in the middle of a 28 x 28 image.
Image square() {
  Image image{28, 28, 1};
  for (std::size_t y = 10; y < 18; ++y) {
    std::fill_n(image.pixels.begin() + static_cast<long>(y * 28 + 10), 8, std::uint8_t{200});
  }
  return image;
}

float sum(const std::vector<float>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0F);
}

TEST(AugmenterTest, WithoutAmountsTheImageIsOnlyDivided) {
  Image image{5, 7, 3};
  std::iota(image.pixels.begin(), image.pixels.end(), std::uint8_t{0});
  const std::vector<float> out = apply({}, image, 0, 255.0F);
  for (std::size_t i = 0; i < out.size(); ++i) {
    EXPECT_EQ(out[i], static_cast<float>(image.pixels[i]) / 255.0F);
  }
  EXPECT_FALSE(AugmentOptions{}.active());
}

TEST(AugmenterTest, ShiftMovesByAtMostItsAmountAndKeepsTheLight) {
  const Image image = square();
  bool moved = false;
  for (std::uint32_t sample = 0; sample < 20; ++sample) {
    const std::vector<float> out = apply({.shift = 3}, image, sample);
    EXPECT_NEAR(sum(out), 64 * 200, 2);
    float x_sum = 0;
    for (std::size_t i = 0; i < out.size(); ++i) {
      x_sum += out[i] * static_cast<float>(i % 28);
    }
    const float moved_by = x_sum / sum(out) - 13.5F;
    EXPECT_LE(std::abs(moved_by), 3.001F);
    moved = moved || std::abs(moved_by) > 1.0F;
  }
  EXPECT_TRUE(moved);
}

TEST(AugmenterTest, ScaleChangesTheAreaWithinItsBounds) {
  float smallest = 1e9F;
  float largest = 0;
  for (std::uint32_t sample = 0; sample < 50; ++sample) {
    const float area = sum(apply({.scale = 0.2}, square(), sample)) / (64 * 200);
    smallest = std::min(smallest, area);
    largest = std::max(largest, area);
  }
  EXPECT_GT(smallest, 0.8F * 0.8F - 0.03F);
  EXPECT_LT(smallest, 0.8F);
  EXPECT_LT(largest, 1.2F * 1.2F + 0.03F);
  EXPECT_GT(largest, 1.2F);
}

TEST(AugmenterTest, RotationKeepsTheCentreAndTheLight) {
  Image image{27, 27, 1};
  image.pixels[13 * 27 + 13] = 100;
  for (std::uint32_t sample = 0; sample < 10; ++sample) {
    EXPECT_NEAR(apply({.rotation = 170}, image, sample)[13 * 27 + 13], 100.0F, 1e-3F);
    EXPECT_NEAR(sum(apply({.rotation = 170}, square(), sample)), 64 * 200, 0.05F * 64 * 200);
  }
}

TEST(AugmenterTest, ChannelsStayApart) {
  Image colour{28, 28, 3};
  const Image grey = square();
  for (std::size_t i = 0; i < grey.pixels.size(); ++i) {
    colour.pixels[3 * i + 1] = grey.pixels[i];
  }
  const AugmentOptions options = {.shift = 2, .rotation = 15, .elastic = 1};
  const std::vector<float> grey_out = apply(options, grey, 4);
  const std::vector<float> out = apply(options, colour, 4);
  for (std::size_t i = 0; i < grey_out.size(); ++i) {
    EXPECT_EQ(out[3 * i], 0.0F);
    EXPECT_EQ(out[3 * i + 1], grey_out[i]);
    EXPECT_EQ(out[3 * i + 2], 0.0F);
  }
}

TEST(AugmenterTest, EraseBlacksOutOneSmallRectangle) {
  Image white{28, 28, 1};
  std::ranges::fill(white.pixels, std::uint8_t{255});
  for (std::uint32_t sample = 0; sample < 50; ++sample) {
    const std::vector<float> out = apply({.erase = 1, .erase_side = 0.5}, white, sample);
    const auto black = std::ranges::count(out, 0.0F);
    EXPECT_GE(black, 1);
    EXPECT_LE(black, 14 * 14);
    EXPECT_EQ(std::ranges::count(out, 255.0F), 784 - black);
  }
}

TEST(AugmenterTest, ExtremeAmountsStayInsideTheImage) {
  // Under ASan this shows that no pixel outside is read.
  const AugmentOptions wild = {.shift = 1e4,
                               .rotation = 179,
                               .scale = 0.999,
                               .shear = 0.999,
                               .elastic = 1e4,
                               .erase = 1,
                               .erase_side = 1};
  for (const auto& [height, width] : {std::pair(1, 1), std::pair(1, 9), std::pair(28, 28)}) {
    Image image{height, width, 2};
    std::ranges::fill(image.pixels, std::uint8_t{255});
    for (std::uint32_t sample = 0; sample < 200; ++sample) {
      for (const float value : apply(wild, image, sample)) {
        ASSERT_TRUE(value >= 0.0F && value <= 255.0F) << value;
      }
    }
  }
}

TEST(AugmenterTest, SameBitsOnEveryMachine) {
  const Dataset digits = draw_synthetic({.size = 20});
  const AugmentOptions options = {
      .shift = 2, .rotation = 10, .scale = 0.1, .shear = 0.1, .elastic = 1.5, .erase = 0.5};
  std::uint64_t hash = 0;
  for (std::uint32_t id = 0; id < 20; ++id) {
    const Image image = {28, 28, 1, digits.image(id)};
    for (const float value : apply(options, image, id, 255.0F)) {
      hash = hash * 1099511628211U + std::bit_cast<std::uint32_t>(value);
    }
  }
  EXPECT_EQ(hash, 8313232864524970838U);
}

TEST(AugmenterTest, ImpossibleAmountsAreRefused) {
  const auto make = [](const AugmentOptions& options) { Augmenter(options, 28, 28, 1); };
  EXPECT_THROW(make({.shift = -1}), Error);
  EXPECT_THROW(make({.rotation = 180}), Error);
  EXPECT_THROW(make({.scale = 1}), Error);
  EXPECT_THROW(make({.shear = std::numeric_limits<double>::quiet_NaN()}), Error);
  EXPECT_THROW(make({.elastic = std::numeric_limits<double>::infinity()}), Error);
  EXPECT_THROW(make({.erase = 1.5}), Error);
}

}  // namespace
}  // namespace convoy::data
