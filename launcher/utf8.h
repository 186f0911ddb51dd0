// Text from outside, made fit to be shown and to be counted.
#pragma once

#include <string>
#include <string_view>

namespace convoy::launcher {

/// `text` with every byte that is not part of valid UTF-8, and every control character, as "?".
std::string valid_utf8(std::string_view text);

/// Code points of valid UTF-8.
int utf8_length(std::string_view text);

}  // namespace convoy::launcher
