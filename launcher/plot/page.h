// What all pictures have in common: margins and a header.
#pragma once

#include <string>

#include "launcher/plot/canvas.h"

namespace convoy::plot {

inline constexpr double kPageMargin = 28;

struct Header {
  std::string title = {};
  std::string subtitle = {};
};

/// Units from the top of the page to the end of the header; the margin alone if it is empty.
double header_height(const Header& header);

/// The page's least width for the header to be whole, within reason: a very long one is cut.
double header_width(Canvas& ruler, const Header& header);

/// Draws it at the top left, cut to a page of `page_width` units.
void draw_header(Canvas& canvas, const Header& header, double page_width);

/// `text`, or its beginning and "…" if it is wider than `width`.
std::string fitted_text(Canvas& ruler, std::string text, double width, const TextStyle& style);

}  // namespace convoy::plot
