#include "core/base/printable.h"

#include <string>

fmt::format_context::iterator fmt::formatter<convoy::Printable>::format(
    convoy::Printable printable, format_context& context) const {
  constexpr std::size_t kMaxBytes = 100;
  const auto [text] = printable;
  const std::string escaped = fmt::format("{:?}", text.substr(0, kMaxBytes));
  return fmt::format_to(context.out(), "'{}{}'",
                        std::string_view(escaped).substr(1, escaped.size() - 2),
                        text.size() > kMaxBytes ? "..." : "");
}
