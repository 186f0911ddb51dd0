// Text that is shown again and again: in place on a terminal, one below the other elsewhere.
#pragma once

#include <string>
#include <string_view>

#include "launcher/terminal.h"

namespace convoy::launcher {

/// Writes to stdout. On a terminal, takes the alternate screen while it lives, so that what was
/// there before comes back, with the last text below it.
class LiveScreen {
 public:
  explicit LiveScreen(const Terminal& terminal);
  ~LiveScreen();
  LiveScreen(const LiveScreen&) = delete;
  LiveScreen& operator=(const LiveScreen&) = delete;

  /// Lines, and one more that stands below them only as long as they can change. Elsewhere than on
  /// a terminal, text that has not changed is not repeated.
  void show(const std::string& text, std::string_view foot = "");

 private:
  const bool in_place_;
  std::string last_;
};

/// What moves from one frame to the next: every line with what clears its rest, at most `rows`.
std::string frame(std::string_view text, int rows);

}  // namespace convoy::launcher
