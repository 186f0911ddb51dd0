#include "launcher/bar.h"

#include <fmt/format.h>

namespace convoy::launcher {

std::string repeat(std::string_view text, int count) {
  std::string repeated;
  for (int i = 0; i < count; ++i) {
    repeated += text;
  }
  return repeated;
}

std::string bar(double fraction, int width, const Terminal& terminal) {
  const char* colour = terminal.colour ? "\x1b[36m" : "";
  const char* dim = terminal.colour ? "\x1b[2m" : "";
  const char* reset = terminal.colour ? "\x1b[0m" : "";
  const int halves = static_cast<int>(fraction * 2 * width);
  const int full = halves / 2;
  const int half = terminal.unicode ? halves % 2 : 0;
  const int rest = width - full - half;
  return fmt::format("{}{}{}{}{}{}{}", colour, repeat(terminal.unicode ? "━" : "#", full),
                     repeat("╸", half), reset, dim, repeat(terminal.unicode ? "─" : "-", rest),
                     reset);
}

}  // namespace convoy::launcher
