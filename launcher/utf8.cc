#include "launcher/utf8.h"

#include <algorithm>
#include <cstdint>

namespace convoy::launcher {
namespace {

// Bytes of the valid sequence that `text` begins with, or 0: RFC 3629, without overlong forms and
// surrogates.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) {
    return first < 0x20 || first == 0x7F ? 0 : 1;
  }
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) {
    return 0;
  }
  std::uint32_t code = first & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) {
      return 0;
    }
    code = code << 6 | (byte(i) & 0x3FU);
  }
  const std::uint32_t least = length == 4 ? 0x10000 : length == 3 ? 0x800 : 0x80;
  const bool surrogate = code >= 0xD800 && code < 0xE000;
  // Terminals take U+009B for an escape sequence's beginning.
  const bool control = code >= 0x80 && code < 0xA0;
  return code < least || code > 0x10FFFF || surrogate || control ? 0 : length;
}

// Characters without width, and those that change the direction of writing: text could pretend to
// be another with them.
bool turns_or_hides(std::string_view letter) {
  for (const std::string_view hidden :
       {"\u00AD", "\u061C", "\u200B", "\u200C", "\u200D", "\u200E", "\u200F",
        "\u2028", "\u2029", "\u202A", "\u202B", "\u202C", "\u202D", "\u202E",
        "\u2060", "\u2066", "\u2067", "\u2068", "\u2069", "\uFEFF"}) {
    if (letter == hidden) {
      return true;
    }
  }
  return false;
}

}  // namespace

std::string valid_utf8(std::string_view text) {
  std::string valid;
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    valid += length == 0 ? "?" : text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return valid;
}

std::string shown_text(std::string_view text, bool unicode, std::size_t max_length) {
  std::string shown;
  std::size_t length = 0;
  std::string_view rest = text;
  for (; !rest.empty() && length < max_length; ++length) {
    const std::size_t bytes = sequence_length(rest);
    const std::string_view letter = rest.substr(0, bytes);
    const bool plain = bytes == 1 || (bytes > 1 && unicode && !turns_or_hides(letter));
    shown += plain ? letter : "?";
    rest.remove_prefix(std::max<std::size_t>(bytes, 1));
  }
  return rest.empty() ? shown : shown + "...";
}

std::string fit_lines(std::string_view text, int columns) {
  std::string fitted;
  int column = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\x1b') {
      const std::size_t end = std::min(text.find('m', i), text.size() - 1);
      fitted += text.substr(i, end + 1 - i);
      i = end;
      continue;
    }
    const bool begins = (static_cast<unsigned char>(text[i]) & 0xC0) != 0x80;
    column = text[i] == '\n' ? 0 : column + (begins ? 1 : 0);
    if (column <= columns) {
      fitted += text[i];
    }
  }
  return fitted;
}

int utf8_length(std::string_view text) {
  return static_cast<int>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace convoy::launcher
