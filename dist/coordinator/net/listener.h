// A TCP port of one's own, with a bound on the connections that came through it. Not gRPC's, for
// that shares ports silently unless told and, in 1.51, cannot bound connections.
#pragma once

#include <functional>
#include <memory>
#include <string>

namespace convoy::dist {

/// Accepts connections on a thread of its own until stopped or destroyed.
class Listener {
 public:
  /// Takes over a connected socket: non-blocking, closed on exec. On the listener's thread.
  using OnConnection = std::function<void(int socket)>;

  struct Options {
    std::string address = {};  ///< HOST:PORT or [V6]:PORT; port 0: any free one
    /// Open at a time; more are closed at once. Raises the process's own limit on open files if
    /// that is too low, and takes fewer connections if it cannot.
    int connections = 4096;
  };

  /// Binds and listens, for start(). Throws Error, with the system's reason, e.g. for a port that
  /// somebody has.
  explicit Listener(const Options& options);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  /// Once.
  void start(OnConnection on_connection);
  /// Closes the port. After this on_connection is neither running nor called again.
  void stop();
  /// The host as it was given, with the true port.
  const std::string& address() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace convoy::dist
