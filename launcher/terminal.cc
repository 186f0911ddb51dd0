#include "launcher/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <string_view>

namespace convoy::launcher {
namespace {

std::string_view value_of(const Environment& environment, const char* name) {
  const char* value = environment(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

bool locale_is_utf8(const Environment& environment) {
  // The first that is set decides, as in setlocale(3).
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string_view locale = value_of(environment, name);
    if (!locale.empty()) {
      return locale.find("UTF-8") != locale.npos || locale.find("utf8") != locale.npos;
    }
  }
  return false;
}

// What the convoy that started this rank shows its stderr on.
std::optional<SizedTerminal> launchers_terminal(int descriptor) {
  const char* text = descriptor == STDERR_FILENO ? std::getenv(kTerminalVariable) : nullptr;
  return text == nullptr ? std::nullopt : parse_terminal(text);
}

}  // namespace

Terminal describe_terminal(bool is_terminal, const Environment& environment) {
  const std::string_view term = value_of(environment, "TERM");
  const bool interactive = is_terminal && !term.empty() && term != "dumb";
  return {.interactive = interactive,
          .colour = interactive && value_of(environment, "NO_COLOR").empty(),
          .unicode = locale_is_utf8(environment)};
}

Terminal terminal_of(int descriptor) {
  const bool is_terminal = isatty(descriptor) == 1;
  if (const auto far = is_terminal ? std::nullopt : launchers_terminal(descriptor)) {
    return far->terminal;
  }
  return describe_terminal(is_terminal, [](const char* name) { return std::getenv(name); });
}

int terminal_columns(int descriptor) {
  winsize size{};
  if (ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    return size.ws_col;
  }
  return launchers_terminal(descriptor).value_or(SizedTerminal{}).columns;
}

int terminal_rows(int descriptor) {
  winsize size{};
  return ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row : 24;
}

std::string terminal_text(const Terminal& terminal, int columns) {
  return std::to_string(columns) + (terminal.colour ? " colour" : "") +
         (terminal.unicode ? " unicode" : "");
}

std::optional<SizedTerminal> parse_terminal(std::string_view text) {
  SizedTerminal result;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), result.columns);
  if (error != std::errc() || result.columns < 1 || result.columns > 10'000) {
    return {};
  }
  const std::string_view rest = text.substr(static_cast<std::size_t>(end - text.data()));
  result.terminal = {.interactive = true,
                     .colour = rest.find(" colour") != rest.npos,
                     .unicode = rest.find(" unicode") != rest.npos};
  return result;
}

}  // namespace convoy::launcher
