#include "launcher/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

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

}  // namespace

Terminal describe_terminal(bool is_terminal, const Environment& environment) {
  const std::string_view term = value_of(environment, "TERM");
  const bool interactive = is_terminal && !term.empty() && term != "dumb";
  return {.interactive = interactive,
          .colour = interactive && value_of(environment, "NO_COLOR").empty(),
          .unicode = locale_is_utf8(environment)};
}

Terminal terminal_of(int descriptor) {
  return describe_terminal(isatty(descriptor) == 1,
                           [](const char* name) { return std::getenv(name); });
}

int terminal_columns(int descriptor) {
  winsize size{};
  return ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace convoy::launcher
