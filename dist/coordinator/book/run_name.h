// What runs may be called.
#pragma once

#include <algorithm>
#include <string_view>

namespace convoy::dist {

/// 1 to 63 of a-z, 0-9 and -, beginning with a letter or digit.
inline bool is_run_name(std::string_view name) {
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !name.empty() && name.size() <= 63 && fits(name.front()) &&
         std::ranges::all_of(name, [&](char c) { return fits(c) || c == '-'; });
}

}  // namespace convoy::dist
