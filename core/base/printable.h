// Text from outside, made fit for a message.
#pragma once

#include <fmt/format.h>

#include <string_view>

namespace convoy {

/// Formats as 'text', with control characters and broken UTF-8 escaped, so that a file cannot write
/// to the terminal; cut short after 100 bytes. Borrows the text.
struct Printable {
  std::string_view text;
};
inline Printable printable(std::string_view text) {
  return {text};
}

}  // namespace convoy

template <>
struct fmt::formatter<convoy::Printable> {
  constexpr auto parse(format_parse_context& context) { return context.begin(); }
  format_context::iterator format(convoy::Printable printable, format_context& context) const;
};
