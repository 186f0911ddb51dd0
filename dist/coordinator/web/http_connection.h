// One accepted TCP connection, plain or TLS, that no peer can hold for long: whoever asks must have
// asked in a given time with a given number of bytes, and take the answer in time. Knows no HTTP.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stop_token>

#include "dist/coordinator/net/endpoint.h"

struct ssl_st;
struct ssl_ctx_st;

namespace convoy::dist {

/// The certificates of a server, loaded. Thread safe.
class ServerTls {
 public:
  /// Throws Error, naming the file, for files that cannot be read or do not fit each other.
  explicit ServerTls(const TlsFiles& files);
  ssl_ctx_st* context() const { return context_.get(); }

 private:
  struct Free {
    void operator()(ssl_ctx_st* context) const;
  };
  std::unique_ptr<ssl_ctx_st, Free> context_;
};

class Connection {
 public:
  struct Limits {
    std::int64_t request_bytes = 24 << 10;
    std::chrono::milliseconds request_time{10'000};  ///< TLS handshake included
    std::chrono::milliseconds write_time{30'000};    ///< for one call of write
  };
  /// What ended reading or writing.
  enum class Trouble { kNone, kTooLong, kTooSlow, kLost };

  /// Takes `socket`, which does not block. `tls` may be null, and must outlive this. All waiting
  /// ends soon after `stop`.
  Connection(int socket, const ServerTls* tls, const Limits& limits, std::stop_token stop);
  /// Ends the connection in order, so that the peer can read what was written last.
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// For TLS, to be called first; otherwise does nothing.
  bool shake_hands();
  /// At least one byte, or 0 at the end, or -1: see trouble().
  std::int64_t read(char* bytes, std::size_t size);
  /// All of it, or false.
  bool write(const char* bytes, std::size_t size);
  /// False once the peer has gone.
  bool alive() const;

  Trouble trouble() const { return trouble_; }
  /// Whether write() was ever called.
  bool answered() const { return answered_; }
  int socket() const { return socket_; }

 private:
  using Clock = std::chrono::steady_clock;
  std::int64_t fill();
  bool wait(short events, Clock::time_point deadline);
  bool wait_for_tls(int result, Clock::time_point deadline);
  std::int64_t give(const char* bytes, std::size_t size, Clock::time_point deadline);
  void linger();

  struct Free {
    void operator()(ssl_st* session) const;
  };
  int socket_;
  Limits limits_;
  std::stop_token stop_;
  Clock::time_point request_deadline_;
  std::unique_ptr<ssl_st, Free> session_;  ///< null: plain
  bool secure_ = false;                    ///< the handshake is done
  bool answered_ = false;
  Trouble trouble_ = Trouble::kNone;
  std::int64_t received_bytes_ = 0;
  std::array<char, 4096> buffer_ = {};
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace convoy::dist
