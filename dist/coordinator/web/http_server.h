// The coordinator for browsers and monitoring: a web page, the same answers as the RPC service as
// JSON, live changes, and Prometheus metrics. A shell over Coordinator; http_api.h says what is
// served. Implemented with cpp-httplib in http_server.cc.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "dist/coordinator/coordinator.h"
#include "dist/coordinator/net/endpoint.h"

namespace convoy::dist {

/// What callers may cost. Beyond, connections wait or are closed, and requests get a status code.
struct HttpLimits {
  int connections = 64;                            ///< at a time, a thread each; made when needed
  int streams = 32;                                ///< of those, how many may follow live changes
  std::int64_t request_bytes = 24 << 10;           ///< with its headers
  std::chrono::milliseconds request_time{10'000};  ///< until it has arrived
  std::chrono::milliseconds write_time{30'000};    ///< until the peer took an answer
  double requests_per_second = 200;                ///< of all callers together; bursts of as many
};

class HttpServer {
 public:
  struct Options {
    std::string listen = "127.0.0.1:0";  ///< HOST:PORT or [V6]:PORT; port 0: any free one
    /// Stopping a run needs it. Reading too, beyond loopback, where it must be set.
    Token token = {};
    std::optional<TlsFiles> tls = {};
    HttpLimits limits = {};
  };

  /// Serves until destroyed. `coordinator` must outlive it. Throws Error for an address that is
  /// taken or is none, for one beyond loopback without a token, and for certificates that cannot be
  /// read. Ignores SIGPIPE for the whole process.
  HttpServer(Coordinator& coordinator, const Options& options);
  /// Cuts streams and slow callers off; takes a fraction of a second.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// HOST:PORT, with the true port.
  const std::string& address() const;
  /// Of the page: http://HOST:PORT/, or https.
  std::string url() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace convoy::dist
