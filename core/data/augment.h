// Random distortions of training images: what they show stays the same, the pixels do not.
#pragma once

#include <cstdint>
#include <span>

#include "core/base/random.h"

namespace convoy::data {

/// Each member is the largest amount; the amount is drawn evenly from both directions. The default
/// changes nothing.
struct AugmentOptions {
  double shift = 0.0;     ///< pixels, along each axis
  double rotation = 0.0;  ///< degrees, below 180
  double scale = 0.0;     ///< 0.1: between 0.9 and 1.1 times as large; below 1
  double shear = 0.0;     ///< pixels of slant per pixel, along each axis; below 1
  double elastic = 0.0;   ///< pixels by which a 5 x 5 grid of points is moved; between them linear
  double erase = 0.0;     ///< the chance that a rectangle is blacked out, in [0, 1]
  double erase_side = 0.25;  ///< the longest side of that rectangle as a part of the image's

  /// Whether it changes anything.
  bool active() const;
};

/// Distorts images of one size with bilinear sampling; what lies outside an image is black. An
/// immutable value, so threads may share it.
class Augmenter {
 public:
  /// Throws Error for an impossible amount.
  Augmenter(const AugmentOptions& options, std::int64_t height, std::int64_t width,
            std::int64_t channels);

  /// Writes the distorted `image` (H, W, C bytes), divided by `divisor`, to `out` (H, W, C floats).
  /// The result depends on the arguments and the options alone and has the same bits on every
  /// machine: only + - * / are used. `scratch` is working memory, of scratch_size() floats.
  void apply(std::span<const std::uint8_t> image, const RandomKey& key, float divisor,
             std::span<float> scratch, std::span<float> out) const;
  std::int64_t scratch_size() const;

 private:
  struct Affine;
  // Displacements of the grid's rows of points, already interpolated along x: 5 rows of `width_`
  // for x, then as many for y.
  void draw_grid(RandomSequence& random, std::span<float> rows) const;
  void erase(RandomSequence& random, std::span<float> out) const;

  AugmentOptions options_;
  std::int64_t height_, width_, channels_;
  float turn_;  // tan(rotation / 2)
};

}  // namespace convoy::data
