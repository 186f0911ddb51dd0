// What the thing behind a file descriptor can show.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

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

/// The same for a descriptor of this process, as in `terminal_of(STDERR_FILENO)`. Of stderr, where
/// it leads to a convoy that started this rank, that convoy's.
Terminal terminal_of(int descriptor);

/// Width in characters; 80 if it cannot be told.
int terminal_columns(int descriptor);

/// Height in lines; 24 if it cannot be told.
int terminal_rows(int descriptor);

/// Tells ranks, whose stderr is a pipe, of the terminal that it is shown on: "120 colour unicode".
inline constexpr const char* kTerminalVariable = "CONVOY_TERMINAL";

struct SizedTerminal {
  Terminal terminal = {};
  int columns = 80;
};

/// Writes and reads that variable's value; nothing for a text that is none.
std::string terminal_text(const Terminal& terminal, int columns);
std::optional<SizedTerminal> parse_terminal(std::string_view text);

}  // namespace convoy::launcher
