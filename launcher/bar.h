// A bar of text that fills from left to right.
#pragma once

#include <string>
#include <string_view>

#include "launcher/terminal.h"

namespace convoy::launcher {

std::string repeat(std::string_view text, int count);

/// `fraction`, in [0, 1], of `width` characters.
std::string bar(double fraction, int width, const Terminal& terminal);

}  // namespace convoy::launcher
