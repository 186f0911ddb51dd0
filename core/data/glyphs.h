// The strokes of which the digits of the synthetic data set are drawn.
#pragma once

#include <span>
#include <vector>

namespace convoy::data {

/// In the unit square; y points down.
struct Point {
  float x = 0.0F;
  float y = 0.0F;
};

/// A pen's path through `points`: straight from one to the next, or, if smooth, a Catmull-Rom
/// spline (closed if it ends where it begins).
struct Stroke {
  bool smooth = false;
  std::vector<Point> points = {};
};

/// One way to write a digit.
struct Glyph {
  int digit = 0;
  std::vector<Stroke> strokes = {};
};

/// All ways to write `digit`, 0 to 9; at least one.
std::span<const Glyph> glyphs_of(int digit);

/// The polyline that draws `stroke`. Uses + - * / only, so it has the same bits everywhere.
std::vector<Point> flatten(const Stroke& stroke);

}  // namespace convoy::data
