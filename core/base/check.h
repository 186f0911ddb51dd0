// The one way to refuse: `check(condition, "text {}", values...)` throws Error with the operands in
// the text. Nothing in convoy returns an error code below the RPC edge, and only `main` catches.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

namespace convoy {

/// What convoy throws. The first line says what is wrong and where; further lines give detail and
/// the next command to try.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

template <typename... Args>
[[noreturn]] void fail(fmt::format_string<Args...> text, Args&&... args) {
  throw Error(fmt::format(text, std::forward<Args>(args)...));
}

/// Throws Error unless `condition` holds. The text is formatted only on failure.
template <typename... Args>
void check(bool condition, fmt::format_string<Args...> text, Args&&... args) {
  if (!condition) [[unlikely]] {
    fail(text, std::forward<Args>(args)...);
  }
}

}  // namespace convoy
