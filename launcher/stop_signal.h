// Ctrl-C and its relatives as a question that the training loop asks between steps.
#pragma once

namespace convoy::launcher {

/// While one lives, the first SIGINT, SIGTERM or SIGUSR1 only makes `requested` true; a second
/// SIGINT or SIGTERM ends the process as usual. At most one at a time.
class StopSignal {
 public:
  /// Throws Error if there is one already.
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  /// Whether one has come, to the StopSignal that lives or lived last.
  static bool requested();
};

}  // namespace convoy::launcher
