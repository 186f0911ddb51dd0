#include "core/data/synthetic.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "core/base/parallel.h"
#include "core/base/random.h"
#include "core/data/glyphs.h"

namespace convoy::data {
namespace {

constexpr int kSide = 28;
constexpr std::size_t kImageBytes = 784;  // kSide squared
constexpr int kClasses = 10;
constexpr std::int64_t kMaxSize = 10'000'000;

using Ink = std::array<float, kImageBytes>;  // 0 none, 1 full

// Where a point of the unit square comes to lie on the paper, in pixels. Only + - * / are used
// here, and never sine or cosine, whose last bits differ between machines.
class Hand {
 public:
  explicit Hand(RandomSequence& random) {
    for (float& bend : bends_) {
      bend = random.uniform(-0.3F, 0.3F);
    }
    const float t = random.uniform(-0.13F, 0.13F);  // tan(angle / 2): up to 15 degrees
    const float cosine = (1.0F - t * t) / (1.0F + t * t);
    const float sine = 2.0F * t / (1.0F + t * t);
    const float height = random.uniform(16.0F, 21.0F);
    const float width = height * random.uniform(0.65F, 1.05F);
    const float slant = random.uniform(-0.25F, 0.35F);
    xx_ = width * cosine;
    xy_ = height * (-sine - slant * cosine);
    yx_ = width * sine;
    yy_ = height * (cosine - slant * sine);
    x0_ = 13.5F + random.uniform(-2.0F, 2.0F);
    y0_ = 13.5F + random.uniform(-2.0F, 2.0F);
  }

  Point place(Point p) const {
    const float x = p.x - 0.5F;
    const float y = p.y - 0.5F;
    const float bent_x = x + bends_[0] * x * y + bends_[1] * y * y + bends_[2] * x * x;
    const float bent_y = y + bends_[3] * x * y + bends_[4] * x * x + bends_[5] * y * y;
    return {x0_ + xx_ * bent_x + xy_ * bent_y, y0_ + yx_ * bent_x + yy_ * bent_y};
  }

 private:
  std::array<float, 6> bends_{};
  float xx_, xy_, yx_, yy_, x0_, y0_;
};

// Adds a line whose pen has the given radius in pixels; its edge fades over one pixel.
void draw_line(Ink& ink, Point a, Point b, float radius, float strength) {
  const float reach = radius + 1.0F;
  const auto pixel = [](float at) { return std::clamp(static_cast<int>(at), 0, kSide - 1); };
  const float dx = b.x - a.x;
  const float dy = b.y - a.y;
  const float length2 = std::max(dx * dx + dy * dy, 1e-6F);
  for (int y = pixel(std::min(a.y, b.y) - reach); y <= pixel(std::max(a.y, b.y) + reach); ++y) {
    for (int x = pixel(std::min(a.x, b.x) - reach); x <= pixel(std::max(a.x, b.x) + reach); ++x) {
      const float px = static_cast<float>(x) - a.x;
      const float py = static_cast<float>(y) - a.y;
      const float t = std::clamp((px * dx + py * dy) / length2, 0.0F, 1.0F);
      const float ex = px - t * dx;
      const float ey = py - t * dy;
      const float cover = std::clamp(radius + 0.5F - std::sqrt(ex * ex + ey * ey), 0.0F, 1.0F);
      float& here = ink[static_cast<std::size_t>(y) * kSide + static_cast<std::size_t>(x)];
      here = std::max(here, strength * cover);
    }
  }
}

std::uint8_t draw_digit(const RandomKey& key, std::span<std::uint8_t> pixels) {
  RandomSequence random(key);
  const auto digit = static_cast<int>(random.below(kClasses));
  const std::span<const Glyph> ways = glyphs_of(digit);
  const Glyph& glyph = ways[random.below(static_cast<std::uint32_t>(ways.size()))];
  const Hand hand(random);
  const float radius = random.uniform(0.5F, 1.5F);
  Ink ink{};
  for (const Stroke& stroke : glyph.strokes) {
    const std::vector<Point> line = flatten(stroke);
    for (std::size_t i = 0; i + 1 < line.size(); ++i) {
      draw_line(ink, hand.place(line[i]), hand.place(line[i + 1]), radius, 1.0F);
    }
  }
  for (std::uint32_t marks = random.below(3); marks > 0; --marks) {
    const Point at = {random.uniform(2.0F, 26.0F), random.uniform(2.0F, 26.0F)};
    const Point to = {at.x + random.uniform(-3.0F, 3.0F), at.y + random.uniform(-3.0F, 3.0F)};
    draw_line(ink, at, to, 0.4F, random.uniform(0.3F, 0.9F));
  }
  const float brightness = random.uniform(170.0F, 255.0F);
  const float noise = random.uniform(0.0F, 40.0F);
  RandomKey grain_key = key;
  grain_key.step = 1;
  RandomSequence grain(grain_key);
  for (std::size_t i = 0; i < ink.size(); ++i) {
    const float value = brightness * ink[i] + noise * (grain.uniform() - 0.5F);
    pixels[i] = static_cast<std::uint8_t>(std::clamp(value, 0.0F, 255.0F));
  }
  return static_cast<std::uint8_t>(digit);
}

}  // namespace

Dataset draw_synthetic(const SyntheticOptions& options) {
  const std::int64_t default_size = options.split == Split::kTrain ? 10'000 : 2'000;
  const std::int64_t size = options.size == 0 ? default_size : options.size;
  check(size >= 1 && size <= kMaxSize, "synthetic: {} images; between 1 and {} can be drawn", size,
        kMaxSize);
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(size) * kImageBytes);
  std::vector<std::uint8_t> labels(static_cast<std::size_t>(size));
  parallel_for(size, [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t id = begin; id < end; ++id) {
      const auto i = static_cast<std::size_t>(id);
      const RandomKey key = {.seed = options.seed,
                             .stream = Stream::kSynthetic,
                             .layer = options.split == Split::kTrain ? 0U : 1U,
                             .sample = static_cast<std::uint32_t>(id)};
      labels[i] = draw_digit(key, std::span(pixels).subspan(i * kImageBytes, kImageBytes));
    }
  });
  return Dataset({.name = fmt::format("synthetic/{}", split_name(options.split)),
                  .height = kSide,
                  .width = kSide,
                  .pixels = std::move(pixels),
                  .labels = std::move(labels),
                  .class_names = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}});
}

}  // namespace convoy::data
