// The cairo door: a page to draw on that becomes a PNG or an SVG. cairo.h is seen nowhere else.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace convoy::plot {

struct Colour {
  double red = 0;
  double green = 0;
  double blue = 0;
};

/// rgb(0xD55E00)
constexpr Colour rgb(std::uint32_t code) {
  return {((code >> 16) & 255) / 255.0, ((code >> 8) & 255) / 255.0, (code & 255) / 255.0};
}

/// What all pictures share. Blue and vermillion (Okabe and Ito, "Color Universal Design", 2008)
/// stay apart for colour-blind eyes too; a meaning is never carried by colour alone.
inline constexpr Colour kPaper = rgb(0xFFFFFF);
inline constexpr Colour kInk = rgb(0x1F2933);
inline constexpr Colour kMuted = rgb(0x6B7683);
inline constexpr Colour kGrid = rgb(0xE4E8EC);
inline constexpr Colour kEmpty = rgb(0xF6F7F9);
inline constexpr Colour kBlue = rgb(0x0072B2);
inline constexpr Colour kVermillion = rgb(0xD55E00);
inline constexpr Colour kRed = rgb(0xC8102E);

/// The colour `share` (0 to 1) of the way from `from` to `to`.
constexpr Colour mix(Colour from, Colour to, double share) {
  return {from.red + share * (to.red - from.red), from.green + share * (to.green - from.green),
          from.blue + share * (to.blue - from.blue)};
}

/// Ink or paper, whichever is easier to read on `background`.
constexpr Colour readable_on(Colour background) {
  const double light =
      0.2126 * background.red + 0.7152 * background.green + 0.0722 * background.blue;
  return light > 0.5 ? kInk : kPaper;
}

struct Point {
  double x = 0;
  double y = 0;
};

struct Box {
  double x = 0;
  double y = 0;
  double width = 0;
  double height = 0;
};

enum class Align { kLeft, kCentre, kRight };

struct TextStyle {
  double size = 12;
  Colour colour = kInk;
  bool bold = false;
  Align align = Align::kLeft;
  bool upwards = false;  ///< turned a quarter to the left
};

/// Bytes of an image, row by row, one (grey) or three (RGB) a pixel.
struct ImageView {
  std::span<const std::uint8_t> pixels = {};
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t channels = 1;
};

/// Throws Error unless `path` ends in .png or .svg; to be asked before the work that fills a page.
void check_picture_path(const std::filesystem::path& path);

/// A white page of width x height units, y downwards: a unit is two pixels of a PNG or a CSS pixel
/// of an SVG. Text is DejaVu Sans.
class Canvas {
 public:
  /// Throws Error as check_picture_path does, and for a page that is empty or beyond these limits.
  Canvas(std::filesystem::path path, double width, double height);
  static constexpr double kMaxSide = 16'000;      ///< cairo draws at most 32,767 pixels
  static constexpr double kMaxArea = 16'000'000;  ///< 256 MB of pixels
  ~Canvas();

  void fill(const Box& box, Colour colour);
  /// A frame whose line lies outside `box`.
  void frame(const Box& box, Colour colour, double line_width);
  void line(Point from, Point to, Colour colour, double line_width = 1);
  void polyline(std::span<const Point> points, Colour colour, double line_width);
  void dot(Point centre, double radius, Colour colour);
  /// `at` is on the middle of the capitals' height, and horizontally as `align` says. Bytes that
  /// are not UTF-8 are shown as "?".
  void text(Point at, std::string_view text, const TextStyle& style = {});
  double text_width(std::string_view text, const TextStyle& style = {});
  /// Pixels stay sharp squares. REQUIRES: pixels.size() == height * width * channels; 1 or 3
  /// channels.
  void image(const Box& box, const ImageView& image);

  /// Writes the file whole or not at all. Throws Error with its path and the reason.
  void save();

 private:
  struct Surface;
  std::filesystem::path path_;
  std::unique_ptr<Surface> surface_;
};

}  // namespace convoy::plot
