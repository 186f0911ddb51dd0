// Text from outside, made fit to be shown and to be counted.
#pragma once

#include <string>
#include <string_view>

namespace convoy::launcher {

/// `text` with every byte that is not part of valid UTF-8, and every control character, as "?".
std::string valid_utf8(std::string_view text);

/// One line of `text` for a terminal, which it cannot command, and for a reader, whom it cannot
/// fool: as valid_utf8, without what turns or hides letters; ASCII alone unless `unicode`. At most
/// `max_length` characters, then "...".
std::string shown_text(std::string_view text, bool unicode, std::size_t max_length = 1024);

/// Lines of valid UTF-8 with colours, each cut after `columns` characters.
std::string fit_lines(std::string_view text, int columns);

/// Code points of valid UTF-8.
int utf8_length(std::string_view text);

}  // namespace convoy::launcher
