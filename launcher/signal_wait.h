// SIGINT, SIGTERM and SIGHUP for commands that wait rather than compute. (StopSignal is
// training's.)
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace convoy::launcher {

/// While it lives, these signals end nothing: `caught` tells which came first. To be made before
/// other threads. At most one at a time.
class SignalWait {
 public:
  SignalWait();
  ~SignalWait();
  SignalWait(const SignalWait&) = delete;
  SignalWait& operator=(const SignalWait&) = delete;

  /// The signal that has come, or 0. Thread safe.
  int caught() const;
  /// Waits until one has come. Thread safe.
  void wait() const;
  /// The same, but not longer than this; true if one has come.
  bool wait_for(std::chrono::milliseconds time) const;

  /// Calls `action` on another thread when a signal comes, or now if one has come. One at a time;
  /// nothing is called any more once another is set.
  void set_action(std::function<void()> action);

  /// Ends this process by that signal, so that whoever started it sees what happened.
  [[noreturn]] static void end_by(int signal);

 private:
  void listen();

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::function<void()> action_;
  int caught_ = 0;
  bool ending_ = false;
  std::thread listener_;
};

}  // namespace convoy::launcher
