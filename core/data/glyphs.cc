#include "core/data/glyphs.h"

#include <algorithm>

#include "core/base/check.h"

namespace convoy::data {
namespace {

// Sorted by digit.
const std::vector<Glyph>& glyphs() {
  constexpr bool kSmooth = true;
  constexpr bool kStraight = false;
  static const std::vector<Glyph> all = {
      {0,
       {{kSmooth,
         {{.5F, 0},
          {.22F, .17F},
          {.15F, .5F},
          {.22F, .83F},
          {.5F, 1},
          {.78F, .83F},
          {.85F, .5F},
          {.78F, .17F},
          {.5F, 0}}}}},
      {1, {{kStraight, {{.5F, 0}, {.5F, 1}}}}},
      {1, {{kStraight, {{.3F, .22F}, {.52F, 0}, {.52F, 1}}}}},
      {1, {{kStraight, {{.28F, .22F}, {.5F, 0}, {.5F, 1}}}, {kStraight, {{.25F, 1}, {.75F, 1}}}}},
      {2,
       {{kSmooth,
         {{.18F, .25F}, {.3F, .06F}, {.55F, 0}, {.8F, .15F}, {.76F, .4F}, {.5F, .68F}, {.16F, 1}}},
        {kStraight, {{.16F, 1}, {.86F, 1}}}}},
      {2,
       {{kSmooth,
         {{.2F, .2F},
          {.45F, 0},
          {.75F, .12F},
          {.72F, .42F},
          {.45F, .82F},
          {.22F, .97F},
          {.18F, .82F},
          {.4F, .84F},
          {.66F, 1},
          {.9F, .9F}}}}},
      {3,
       {{kSmooth, {{.18F, .12F}, {.5F, 0}, {.78F, .15F}, {.72F, .4F}, {.42F, .48F}}},
        {kSmooth, {{.42F, .48F}, {.78F, .58F}, {.82F, .82F}, {.5F, 1}, {.14F, .88F}}}}},
      {3,
       {{kStraight, {{.2F, 0}, {.8F, 0}, {.45F, .4F}}},
        {kSmooth, {{.45F, .4F}, {.78F, .52F}, {.82F, .82F}, {.5F, 1}, {.14F, .88F}}}}},
      {4,
       {{kStraight, {{.25F, .02F}, {.18F, .55F}, {.88F, .55F}}},
        {kStraight, {{.72F, .02F}, {.68F, 1}}}}},
      {4, {{kStraight, {{.66F, 1}, {.66F, 0}, {.1F, .68F}, {.9F, .68F}}}}},
      {5,
       {{kStraight, {{.8F, 0}, {.27F, 0}, {.22F, .45F}}},
        {kSmooth, {{.22F, .45F}, {.52F, .37F}, {.8F, .52F}, {.8F, .82F}, {.5F, 1}, {.16F, .9F}}}}},
      {6,
       {{kSmooth,
         {{.7F, 0},
          {.38F, .22F},
          {.2F, .6F},
          {.27F, .92F},
          {.55F, 1},
          {.8F, .82F},
          {.7F, .58F},
          {.45F, .54F},
          {.22F, .72F}}}}},
      {7, {{kStraight, {{.14F, 0}, {.86F, 0}, {.42F, 1}}}}},
      {7,
       {{kStraight, {{.14F, .02F}, {.86F, .02F}, {.4F, 1}}},
        {kStraight, {{.36F, .5F}, {.8F, .5F}}}}},
      {8,
       {{kSmooth,
         {{.5F, 0},
          {.22F, .1F},
          {.25F, .35F},
          {.5F, .48F},
          {.8F, .7F},
          {.76F, .93F},
          {.5F, 1},
          {.24F, .93F},
          {.2F, .7F},
          {.5F, .48F},
          {.75F, .35F},
          {.78F, .1F},
          {.5F, 0}}}}},
      {9,
       {{kSmooth,
         {{.78F, .25F},
          {.6F, .02F},
          {.3F, .06F},
          {.18F, .3F},
          {.38F, .52F},
          {.66F, .45F},
          {.78F, .25F}}},
        {kSmooth, {{.78F, .25F}, {.76F, .6F}, {.6F, 1}}}}},
      {9,
       {{kSmooth,
         {{.75F, .25F},
          {.6F, .02F},
          {.3F, .06F},
          {.2F, .3F},
          {.4F, .5F},
          {.66F, .42F},
          {.75F, .25F}}},
        {kStraight, {{.77F, .1F}, {.77F, 1}}}}},
  };
  return all;
}

}  // namespace

std::span<const Glyph> glyphs_of(int digit) {
  const std::vector<Glyph>& all = glyphs();
  const auto is_digit = [digit](const Glyph& glyph) { return glyph.digit == digit; };
  const auto begin = std::find_if(all.begin(), all.end(), is_digit);
  check(begin != all.end(), "no digit {}: 0 to 9 can be drawn", digit);
  return {begin, std::find_if_not(begin, all.end(), is_digit)};
}

std::vector<Point> flatten(const Stroke& stroke) {
  const std::vector<Point>& p = stroke.points;
  if (!stroke.smooth) {
    return p;
  }
  constexpr int kPieces = 5;  // a digit is 20 pixels high, so a piece is about one pixel long
  const std::size_t n = p.size();
  const bool closed = p.front().x == p.back().x && p.front().y == p.back().y;
  std::vector<Point> line = {p.front()};
  for (std::size_t i = 0; i + 1 < n; ++i) {
    const Point before = i > 0 ? p[i - 1] : (closed ? p[n - 2] : p[0]);
    const Point after = i + 2 < n ? p[i + 2] : (closed ? p[1] : p[n - 1]);
    for (int piece = 1; piece <= kPieces; ++piece) {
      const float t = static_cast<float>(piece) / kPieces;
      const auto spline = [t](float a, float b, float c, float d) {
        return 0.5F * (2.0F * b + t * ((c - a) + t * ((2.0F * a - 5.0F * b + 4.0F * c - d) +
                                                      t * (3.0F * (b - c) + d - a))));
      };
      line.push_back({spline(before.x, p[i].x, p[i + 1].x, after.x),
                      spline(before.y, p[i].y, p[i + 1].y, after.y)});
    }
  }
  return line;
}

}  // namespace convoy::data
