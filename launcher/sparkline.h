// A curve in one line of text.
#pragma once

#include <span>
#include <string>

namespace convoy::launcher {

/// `values` from left to right in at most `width` characters, from the least to the greatest:
/// blocks from low to high, or without `unicode` characters that stand as high. More values than
/// that are averaged over neighbours; one that is not finite leaves a space. Empty without values
/// or width.
std::string sparkline(std::span<const double> values, int width, bool unicode);

}  // namespace convoy::launcher
