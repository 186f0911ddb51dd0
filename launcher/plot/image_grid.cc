#include "launcher/plot/image_grid.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/base/check.h"

namespace convoy::plot {
namespace {

constexpr double kGap = 18;           // between neighbours
constexpr double kLeastSide = 84;     // of an image on the page, unless it is large itself
constexpr double kCaptionRoom = 140;  // images grow up to this for the sake of long names
constexpr double kLargestSide = 224;
constexpr double kCaptionLine = 16;

constexpr TextStyle kNameStyle = {.size = 12, .bold = true};
constexpr TextStyle kSmallStyle = {.size = 10, .colour = kMuted};

std::string name_caption(const PredictedImage& image) {
  return (image.wrong() ? "✗ " : "") + image.predicted;
}

std::string confidence_caption(const PredictedImage& image) {
  return fmt::format("{:.0f} %", 100 * image.confidence);
}

double caption_width(Canvas& canvas, std::span<const PredictedImage> images) {
  double widest = 0;
  for (const PredictedImage& image : images) {
    widest = std::max(widest, canvas.text_width(name_caption(image), kNameStyle) +
                                  canvas.text_width(confidence_caption(image), kSmallStyle) + 6);
  }
  return widest;
}

// Whole pixels of the page for a pixel of the image, so that all of them are equally large.
double image_scale(const ImageView& image, double caption_width) {
  const auto side = static_cast<double>(std::max(image.height, image.width));
  const double wanted = std::clamp(caption_width, kLeastSide, kCaptionRoom);
  return side > kLargestSide ? kLargestSide / side
                             : std::ceil(wanted / static_cast<double>(image.width));
}

void draw_caption(Canvas& canvas, const Box& box, const PredictedImage& image) {
  TextStyle name = kNameStyle;
  TextStyle confidence = kSmallStyle;
  TextStyle truth = kSmallStyle;
  confidence.align = Align::kRight;
  if (image.wrong()) {
    name.colour = truth.colour = kRed;
  }
  const double y = box.y + box.height + 13;
  const std::string percent = confidence_caption(image);
  const double name_width = box.width - canvas.text_width(percent, confidence) - 6;
  canvas.text({box.x, y}, fitted_text(canvas, name_caption(image), name_width, name), name);
  canvas.text({box.x + box.width, y}, percent, confidence);
  if (!image.truth.empty()) {
    canvas.text({box.x, y + kCaptionLine},
                fitted_text(canvas, "true " + image.truth, box.width, truth), truth);
  }
}

}  // namespace

int grid_columns(int count) {
  int best = 1;
  int fewest_empty = count;
  const int least = static_cast<int>(std::ceil(std::sqrt(count)));
  const int most = static_cast<int>(std::ceil(std::sqrt(2.2 * count)));
  for (int columns = least; columns <= most; ++columns) {
    const int empty = (columns - count % columns) % columns;
    if (empty < fewest_empty) {
      best = columns;
      fewest_empty = empty;
    }
  }
  return best;
}

void draw_image_grid(const std::filesystem::path& path, std::span<const PredictedImage> images,
                     const ImageGridOptions& options) {
  check(!images.empty(), "cannot draw {}: there is no image to show", path.string());
  const ImageView& first = images.front().image;
  const int count = static_cast<int>(images.size());
  const int columns = options.columns > 0 ? std::min(options.columns, count) : grid_columns(count);
  const int rows = (count + columns - 1) / columns;
  const bool labelled =
      std::ranges::any_of(images, [](const PredictedImage& image) { return !image.truth.empty(); });
  // Text can be measured only on a page, and the page's size depends on it.
  Canvas ruler(path, 1, 1);
  const double scale = image_scale(first, caption_width(ruler, images));
  const Box cell = {.width = static_cast<double>(first.width) * scale,
                    .height = static_cast<double>(first.height) * scale};
  const double step_x = cell.width + kGap;
  const double step_y = cell.height + kCaptionLine * (labelled ? 2 : 1) + kGap;
  const double top = header_height(options.header);
  const double width =
      std::max(header_width(ruler, options.header), 2 * kPageMargin + columns * step_x - kGap);
  Canvas canvas(path, width, top + rows * step_y - kGap + kPageMargin);
  draw_header(canvas, options.header, width);
  for (int i = 0; i < count; ++i) {
    const PredictedImage& image = images[static_cast<std::size_t>(i)];
    const int row = i / columns;
    const Box box = {.x = kPageMargin + (i % columns) * step_x,
                     .y = top + row * step_y,
                     .width = cell.width,
                     .height = cell.height};
    canvas.image(box, image.image);
    if (image.wrong()) {
      canvas.frame(box, kRed, 2.5);
    } else {
      canvas.frame(box, kGrid, 0.75);
    }
    draw_caption(canvas, box, image);
  }
  canvas.save();
}

}  // namespace convoy::plot
