// What the thing behind a file descriptor can show.
#pragma once

#include <functional>

namespace convoy::launcher {

struct Terminal {
  bool interactive = false;  ///< a line can be redrawn in place
  bool colour = false;       ///< ANSI colours are understood and wanted
  bool unicode = false;      ///< UTF-8 is shown as such
};

using Environment = std::function<const char*(const char* name)>;

/// Decides from the environment: TERM=dumb is not redrawn, a non-empty NO_COLOR
/// (https://no-color.org) is honoured, and the locale's variables tell of UTF-8.
Terminal describe_terminal(bool is_terminal, const Environment& environment);

/// The same for a descriptor of this process, as in `terminal_of(STDERR_FILENO)`.
Terminal terminal_of(int descriptor);

/// Width in characters; 80 if it cannot be told.
int terminal_columns(int descriptor);

}  // namespace convoy::launcher
