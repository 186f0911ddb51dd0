#include "launcher/plot/canvas.h"

#include <cairo-svg.h>
#include <cairo.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/base/check.h"
#include "core/base/sanitized.h"
#include "core/io/file.h"
#include "launcher/utf8.h"

#ifdef CONVOY_SANITIZED
// Fontconfig keeps its patterns for the life of the process, by offsets that the leak checker
// cannot follow.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libfontconfig.so";
}
#endif

namespace convoy::plot {
namespace {

constexpr double kPngScale = 2;
constexpr double kCapitalHeight = 0.729;  // of DejaVu Sans, as a part of its size

cairo_status_t append(void* text, const unsigned char* bytes, unsigned int count) {
  static_cast<std::string*>(text)->append(reinterpret_cast<const char*>(bytes), count);
  return CAIRO_STATUS_SUCCESS;
}

void check_status(cairo_status_t status, const std::filesystem::path& path) {
  check(status == CAIRO_STATUS_SUCCESS, "cannot draw {}: {}", path.string(),
        cairo_status_to_string(status));
}

struct SurfaceDeleter {
  void operator()(cairo_surface_t* surface) const { cairo_surface_destroy(surface); }
};
using SurfacePtr = std::unique_ptr<cairo_surface_t, SurfaceDeleter>;

}  // namespace

struct Canvas::Surface {
  Surface(bool is_svg, double width, double height)
      : svg(is_svg),
        surface(is_svg ? cairo_svg_surface_create_for_stream(append, &bytes, width, height)
                       : cairo_image_surface_create(
                             CAIRO_FORMAT_RGB24, static_cast<int>(std::ceil(width * kPngScale)),
                             static_cast<int>(std::ceil(height * kPngScale)))),
        context(cairo_create(surface.get())) {
    if (!svg) {
      cairo_scale(context, kPngScale, kPngScale);
    }
    // Unhinted, so that text is as wide in a PNG as in an SVG.
    cairo_font_options_t* options = cairo_font_options_create();
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    cairo_set_font_options(context, options);
    cairo_font_options_destroy(options);
    cairo_set_line_join(context, CAIRO_LINE_JOIN_ROUND);
    cairo_set_source_rgb(context, 1, 1, 1);
    cairo_paint(context);
  }
  Surface(const Surface&) = delete;
  Surface& operator=(const Surface&) = delete;
  ~Surface() { cairo_destroy(context); }

  void set_colour(Colour colour) const {
    cairo_set_source_rgb(context, colour.red, colour.green, colour.blue);
  }
  void set_font(const TextStyle& style) const {
    cairo_select_font_face(context, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL,
                           style.bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(context, style.size);
  }

  bool svg;
  std::string bytes;
  SurfacePtr surface;
  cairo_t* context;
};

void check_picture_path(const std::filesystem::path& path) {
  const std::string extension = path.extension().string();
  check(extension == ".png" || extension == ".svg",
        "cannot write {}: a picture's name must end in .png or .svg", path.string());
}

Canvas::Canvas(std::filesystem::path path, double width, double height) : path_(std::move(path)) {
  check_picture_path(path_);
  check(width > 0 && height > 0 && width <= kMaxSide && height <= kMaxSide &&
            width * height <= kMaxArea,
        "cannot draw {}: a page of {:.0f} x {:.0f} units is too large; draw fewer images",
        path_.string(), width, height);
  surface_ = std::make_unique<Surface>(path_.extension() == ".svg", width, height);
  check_status(cairo_status(surface_->context), path_);
}

Canvas::~Canvas() = default;

void Canvas::fill(const Box& box, Colour colour) {
  surface_->set_colour(colour);
  cairo_rectangle(surface_->context, box.x, box.y, box.width, box.height);
  cairo_fill(surface_->context);
}

void Canvas::frame(const Box& box, Colour colour, double line_width) {
  surface_->set_colour(colour);
  cairo_set_line_width(surface_->context, line_width);
  cairo_rectangle(surface_->context, box.x - line_width / 2, box.y - line_width / 2,
                  box.width + line_width, box.height + line_width);
  cairo_stroke(surface_->context);
}

void Canvas::line(Point from, Point to, Colour colour, double line_width) {
  const Point points[] = {from, to};
  polyline(points, colour, line_width);
}

void Canvas::polyline(std::span<const Point> points, Colour colour, double line_width) {
  surface_->set_colour(colour);
  cairo_set_line_width(surface_->context, line_width);
  for (const Point& point : points) {
    cairo_line_to(surface_->context, point.x, point.y);
  }
  cairo_stroke(surface_->context);
}

void Canvas::dot(Point centre, double radius, Colour colour) {
  surface_->set_colour(colour);
  cairo_arc(surface_->context, centre.x, centre.y, radius, 0, 2 * M_PI);
  cairo_fill(surface_->context);
}

void Canvas::text(Point at, std::string_view text, const TextStyle& style) {
  const double width = style.align == Align::kLeft ? 0 : text_width(text, style);
  const double shift = style.align == Align::kCentre ? width / 2 : width;
  cairo_t* context = surface_->context;
  surface_->set_colour(style.colour);
  surface_->set_font(style);
  cairo_save(context);
  cairo_translate(context, at.x, at.y);
  if (style.upwards) {
    cairo_rotate(context, -M_PI / 2);
  }
  cairo_move_to(context, -shift, kCapitalHeight * style.size / 2);
  cairo_show_text(context, launcher::valid_utf8(text).c_str());
  cairo_new_path(context);  // text leaves its end as the first point of the next path
  cairo_restore(context);
}

double Canvas::text_width(std::string_view text, const TextStyle& style) {
  surface_->set_font(style);
  cairo_text_extents_t extents;
  cairo_text_extents(surface_->context, launcher::valid_utf8(text).c_str(), &extents);
  return extents.x_advance;
}

void Canvas::image(const Box& box, const ImageView& image) {
  check(image.channels == 1 || image.channels == 3,
        "an image has {} channels; 1 and 3 can be drawn", image.channels);
  check(image.height > 0 && image.width > 0 && image.height <= 32767 && image.width <= 32767 &&
            static_cast<std::int64_t>(image.pixels.size()) ==
                image.height * image.width * image.channels,
        "an image of {} x {} x {} has {} bytes", image.height, image.width, image.channels,
        image.pixels.size());
  // Cairo 1.16 forgets the NEAREST filter when it writes an SVG, and viewers then smooth: there the
  // pixels themselves are made large.
  const std::int64_t zoom =
      surface_->svg ? std::max<std::int64_t>(1, 256 / std::max(image.height, image.width)) : 1;
  const auto width = static_cast<int>(image.width * zoom);
  const auto height = static_cast<int>(image.height * zoom);
  const SurfacePtr pixels(cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height));
  check_status(cairo_surface_status(pixels.get()), path_);
  unsigned char* rows = cairo_image_surface_get_data(pixels.get());
  const int stride = cairo_image_surface_get_stride(pixels.get());
  for (int y = 0; y < height; ++y) {
    auto* row = reinterpret_cast<std::uint32_t*>(rows + static_cast<std::ptrdiff_t>(y) * stride);
    for (int x = 0; x < width; ++x) {
      const auto first = (y / zoom * image.width + x / zoom) * image.channels;
      const std::uint8_t* in = &image.pixels[static_cast<std::size_t>(first)];
      const bool grey = image.channels == 1;
      row[x] = static_cast<std::uint32_t>(in[0] << 16 | in[grey ? 0 : 1] << 8 | in[grey ? 0 : 2]);
    }
  }
  cairo_surface_mark_dirty(pixels.get());

  cairo_t* context = surface_->context;
  cairo_save(context);
  cairo_translate(context, box.x, box.y);
  cairo_scale(context, box.width / static_cast<double>(width),
              box.height / static_cast<double>(height));
  cairo_set_source_surface(context, pixels.get(), 0, 0);
  cairo_pattern_set_filter(cairo_get_source(context), CAIRO_FILTER_NEAREST);
  cairo_paint(context);
  cairo_restore(context);
}

void Canvas::save() {
  check_status(cairo_status(surface_->context), path_);
  if (surface_->svg) {
    cairo_surface_finish(surface_->surface.get());
    check_status(cairo_surface_status(surface_->surface.get()), path_);
  } else {
    surface_->bytes.clear();
    check_status(
        cairo_surface_write_to_png_stream(surface_->surface.get(), append, &surface_->bytes),
        path_);
  }
  io::write_file_atomically(path_, io::as_bytes(surface_->bytes));
}

}  // namespace convoy::plot
