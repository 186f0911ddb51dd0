#include "core/data/augment.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "core/base/check.h"

namespace convoy::data {
namespace {

constexpr std::int64_t kGrid = 5;  // points of the elastic grid along each axis

// Where position `i` of `extent` lies among the grid's points: after point `first`, `part` of the
// way to the next.
struct GridPosition {
  std::int64_t first;
  float part;
};

GridPosition grid_position(std::int64_t i, std::int64_t extent) {
  const float at = static_cast<float>(i * (kGrid - 1)) /
                   static_cast<float>(std::max<std::int64_t>(extent - 1, 1));
  const auto first = std::min<std::int64_t>(static_cast<std::int64_t>(at), kGrid - 2);
  return {first, at - static_cast<float>(first)};
}

// `amount` times an even draw from [-1, 1).
float either_way(RandomSequence& random, double amount) {
  return static_cast<float>(amount) * random.uniform(-1.0F, 1.0F);
}

// Image with a black border, one pixel before and two after, so that sampling needs no test.
void pad(std::span<const std::uint8_t> image, std::int64_t height, std::int64_t row,
         std::int64_t channels, float divisor, float* out) {
  const std::int64_t padded_row = row + 3 * channels;
  std::fill_n(out, padded_row, 0.0F);
  std::fill_n(out + (height + 1) * padded_row, 2 * padded_row, 0.0F);
  for (std::int64_t y = 0; y < height; ++y) {
    float* to = out + (y + 1) * padded_row;
    const std::uint8_t* from = image.data() + y * row;
    std::fill_n(to, channels, 0.0F);
    for (std::int64_t i = 0; i < row; ++i) {
      to[channels + i] = static_cast<float>(from[i]) / divisor;
    }
    std::fill_n(to + channels + row, 2 * channels, 0.0F);
  }
}

}  // namespace

bool AugmentOptions::active() const {
  return shift > 0 || rotation > 0 || scale > 0 || shear > 0 || elastic > 0 || erase > 0;
}

// Maps a pixel of the result to where in the image it comes from, both from their centres.
struct Augmenter::Affine {
  Affine(const AugmentOptions& options, float turn, RandomSequence& random) {
    const float t = turn * random.uniform(-1.0F, 1.0F);  // tan(angle / 2)
    const float size = 1.0F + either_way(random, options.scale);
    const float cosine = (1.0F - t * t) / (1.0F + t * t) / size;
    const float sine = 2.0F * t / (1.0F + t * t) / size;
    const float slant_x = either_way(random, options.shear);
    const float slant_y = either_way(random, options.shear);
    xx = cosine - sine * slant_y;
    xy = cosine * slant_x - sine;
    yx = sine + cosine * slant_y;
    yy = sine * slant_x + cosine;
    dx = either_way(random, options.shift);
    dy = either_way(random, options.shift);
  }

  float xx, xy, yx, yy, dx, dy;
};

Augmenter::Augmenter(const AugmentOptions& options, std::int64_t height, std::int64_t width,
                     std::int64_t channels)
    : options_(options),
      height_(height),
      width_(width),
      channels_(channels),
      turn_(static_cast<float>(std::tan(options.rotation * std::numbers::pi / 360.0))) {
  const AugmentOptions& o = options;
  check(height >= 1 && width >= 1 && channels >= 1, "augment: images of {} x {} x {}", height,
        width, channels);
  // Written so that NaN is refused too.
  check(o.shift >= 0 && o.shift <= 1e4 && o.elastic >= 0 && o.elastic <= 1e4,
        "augment: shift {} and elastic {} pixels; between 0 and 10000 expected", o.shift,
        o.elastic);
  check(o.rotation >= 0 && o.rotation < 180, "augment: rotation {}; in [0, 180) degrees expected",
        o.rotation);
  check(o.scale >= 0 && o.scale < 1 && o.shear >= 0 && o.shear < 1,
        "augment: scale {} and shear {}; in [0, 1) expected", o.scale, o.shear);
  check(o.erase >= 0 && o.erase <= 1 && o.erase_side >= 0 && o.erase_side <= 1,
        "augment: erase {} and erase_side {}; in [0, 1] expected", o.erase, o.erase_side);
}

std::int64_t Augmenter::scratch_size() const {
  return (height_ + 3) * (width_ + 3) * channels_ + 2 * width_ + 2 * kGrid * width_;
}

void Augmenter::apply(std::span<const std::uint8_t> image, const RandomKey& key, float divisor,
                      std::span<float> scratch, std::span<float> out) const {
  const std::int64_t row = width_ * channels_;
  const std::int64_t padded_row = row + 3 * channels_;
  float* padded = scratch.data();
  float* from_x = padded + (height_ + 3) * padded_row;
  float* from_y = from_x + width_;
  const std::span<float> grid(from_y + width_, static_cast<std::size_t>(2 * kGrid * width_));

  RandomSequence random(key);
  const Affine affine(options_, turn_, random);
  const bool elastic = options_.elastic > 0;
  if (elastic) {
    draw_grid(random, grid);
  }
  pad(image, height_, row, channels_, divisor, padded);

  const float middle_x = static_cast<float>(width_ - 1) / 2.0F;
  const float middle_y = static_cast<float>(height_ - 1) / 2.0F;
  const auto last_x = static_cast<float>(width_ + 1);
  const auto last_y = static_cast<float>(height_ + 1);
  for (std::int64_t y = 0; y < height_; ++y) {
    const float v = static_cast<float>(y) - middle_y;
    // One more for the border.
    const float base_x = middle_x + affine.xy * v + affine.dx + 1.0F;
    const float base_y = middle_y + affine.yy * v + affine.dy + 1.0F;
    for (std::int64_t x = 0; x < width_; ++x) {
      const float u = static_cast<float>(x) - middle_x;
      from_x[x] = base_x + affine.xx * u;
      from_y[x] = base_y + affine.yx * u;
    }
    if (elastic) {
      const auto [first, part] = grid_position(y, height_);
      const float* upper = grid.data() + first * width_;
      const float* lower = upper + width_;
      const float* upper_y = upper + kGrid * width_;
      const float* lower_y = lower + kGrid * width_;
      for (std::int64_t x = 0; x < width_; ++x) {
        from_x[x] += upper[x] + part * (lower[x] - upper[x]);
        from_y[x] += upper_y[x] + part * (lower_y[x] - upper_y[x]);
      }
    }
    float* to = out.data() + y * row;
    for (std::int64_t x = 0; x < width_; ++x) {
      const float at_x = std::clamp(from_x[x], 0.0F, last_x);
      const float at_y = std::clamp(from_y[x], 0.0F, last_y);
      const auto left = static_cast<std::int32_t>(at_x);
      const auto top = static_cast<std::int32_t>(at_y);
      const float part_x = at_x - static_cast<float>(left);
      const float part_y = at_y - static_cast<float>(top);
      const float* corner = padded + top * padded_row + left * channels_;
      for (std::int64_t c = 0; c < channels_; ++c) {
        const float* a = corner + c;
        const float* b = a + padded_row;
        const float upper = a[0] + part_x * (a[channels_] - a[0]);
        const float lower = b[0] + part_x * (b[channels_] - b[0]);
        to[x * channels_ + c] = upper + part_y * (lower - upper);
      }
    }
  }
  if (random.uniform() < static_cast<float>(options_.erase)) {
    erase(random, out);
  }
}

void Augmenter::draw_grid(RandomSequence& random, std::span<float> rows) const {
  for (std::int64_t line = 0; line < 2 * kGrid; ++line) {
    std::array<float, kGrid> points{};
    for (float& point : points) {
      point = either_way(random, options_.elastic);
    }
    for (std::int64_t x = 0; x < width_; ++x) {
      const auto [first, part] = grid_position(x, width_);
      const float* p = points.data() + first;
      rows[static_cast<std::size_t>(line * width_ + x)] = p[0] + part * (p[1] - p[0]);
    }
  }
}

void Augmenter::erase(RandomSequence& random, std::span<float> out) const {
  const auto place = [&](std::int64_t extent) {
    const auto longest = std::max<std::int64_t>(
        1, static_cast<std::int64_t>(static_cast<double>(extent) * options_.erase_side));
    const std::int64_t side = 1 + random.below(static_cast<std::uint32_t>(longest));
    const std::int64_t begin = random.below(static_cast<std::uint32_t>(extent - side + 1));
    return std::pair(begin, side);
  };
  const auto [top, height] = place(height_);
  const auto [left, width] = place(width_);
  for (std::int64_t y = top; y < top + height; ++y) {
    std::fill_n(out.data() + (y * width_ + left) * channels_, width * channels_, 0.0F);
  }
}

}  // namespace convoy::data
