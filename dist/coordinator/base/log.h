// The coordinator's log: lines on stderr, from any thread. Never tokens, never what a request
// holds; text from outside goes through printable(). Implemented in log.cc with spdlog.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string_view>
#include <utility>

namespace convoy::dist {

enum class LogLevel : std::uint8_t { kError, kWarning, kInfo, kDebug };

/// What is written: lines of this level and those above it. kWarning until it is set.
LogLevel log_level();
void set_log_level(LogLevel level);

namespace detail {
void write_log(LogLevel level, std::string_view line);
/// Whether a line that outsiders can cause may be written now.
bool take_from_log_budget(LogLevel level);
}  // namespace detail

template <typename... Args>
void log(LogLevel level, fmt::format_string<Args...> text, Args&&... args) {
  if (level <= log_level()) {
    detail::write_log(level, fmt::format(text, std::forward<Args>(args)...));
  }
}

/// For what outsiders can cause at will: at most ten lines a second of all such, in bursts of
/// twenty; how many were left out is said with the next one.
template <typename... Args>
void log_from_outside(LogLevel level, fmt::format_string<Args...> text, Args&&... args) {
  if (detail::take_from_log_budget(level)) {
    detail::write_log(level, fmt::format(text, std::forward<Args>(args)...));
  }
}

}  // namespace convoy::dist
