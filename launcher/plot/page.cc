#include "launcher/plot/page.h"

#include <algorithm>

namespace convoy::plot {
namespace {

constexpr double kWidestHeader = 900;
constexpr TextStyle kTitleStyle = {.size = 16, .bold = true};
constexpr TextStyle kSubtitleStyle = {.size = 12, .colour = kMuted};

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

}  // namespace

double header_height(const Header& header) {
  return header.title.empty() ? kPageMargin : header.subtitle.empty() ? 50 : 72;
}

double header_width(Canvas& ruler, const Header& header) {
  const double text = std::max(ruler.text_width(header.title, kTitleStyle),
                               ruler.text_width(header.subtitle, kSubtitleStyle));
  return std::min(text, kWidestHeader) + 2 * kPageMargin;
}

void draw_header(Canvas& canvas, const Header& header, double page_width) {
  const double width = page_width - 2 * kPageMargin + 1;  // 1: never cut by rounding
  canvas.text({kPageMargin, 30}, fitted_text(canvas, header.title, width, kTitleStyle),
              kTitleStyle);
  canvas.text({kPageMargin, 52}, fitted_text(canvas, header.subtitle, width, kSubtitleStyle),
              kSubtitleStyle);
}

std::string fitted_text(Canvas& ruler, std::string text, double width, const TextStyle& style) {
  if (ruler.text_width(text, style) <= width) {
    return text;
  }
  while (!text.empty() && ruler.text_width(text + "…", style) > width) {
    while (text.size() > 1 && is_continuation(text.back())) {
      text.pop_back();
    }
    text.pop_back();
  }
  return text + "…";
}

}  // namespace convoy::plot
