#include "launcher/live_screen.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace convoy::launcher {
namespace {

// The alternate screen without a cursor and without wrapping, and back.
constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l\x1b[?7l";
constexpr std::string_view kLeave = "\x1b[?7h\x1b[?25h\x1b[?1049l";

// At once, so that the terminal never shows half of it.
void put(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

}  // namespace

std::string frame(std::string_view text, int rows) {
  std::string moved = "\x1b[H";
  for (int row = 0; row < rows && !text.empty(); ++row) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    moved += text.substr(0, end);
    moved += "\x1b[K";
    text.remove_prefix(std::min(end + 1, text.size()));
    moved += row + 1 < rows && !text.empty() ? "\n" : "";
  }
  return moved + "\x1b[J";
}

LiveScreen::LiveScreen(const Terminal& terminal) : in_place_(terminal.interactive) {
  if (in_place_) {
    put(kEnter);
  }
}

LiveScreen::~LiveScreen() {
  if (in_place_) {
    put(std::string(kLeave) + last_);
  }
}

void LiveScreen::show(const std::string& text, std::string_view foot) {
  if (in_place_) {
    put(frame(fmt::format("{}{}", text, foot), terminal_rows(STDOUT_FILENO)));
  } else if (text != last_) {
    put(last_.empty() ? text : fmt::format("\n{}", text));
  }
  last_ = text;
}

}  // namespace convoy::launcher
