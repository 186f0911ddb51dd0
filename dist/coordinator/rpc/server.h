// The coordinator's gRPC service on a socket, with standard health and reflection: a thin shell
// over Coordinator. Implemented in grpc_server.cc.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "dist/coordinator/coordinator.h"
#include "dist/coordinator/net/endpoint.h"

namespace convoy::dist {

/// What callers may cost.
struct ServerLimits {
  std::int64_t message_bytes = 8 << 20;
  /// A call whose message does not come costs gRPC some 13 KiB, which memory_bytes does not bound
  /// and no token is asked for yet: connections times this times that is what strangers can take.
  int streams_per_connection = 16;
  int connections = 4096;
  int watchers = 256;                     ///< WatchRun streams at a time
  std::int64_t memory_bytes = 256 << 20;  ///< gRPC's buffers
  std::chrono::seconds handshake{5};
  std::chrono::seconds stream_idle{60};  ///< a report stream that sends nothing is ended
  double calls_per_second = 20'000;      ///< of all callers together; bursts of as many
};

class CoordinatorServer {
 public:
  struct Options {
    std::string listen = "127.0.0.1:0";  ///< HOST:PORT; port 0: any free one
    Token token = {};                    ///< needed beyond loopback
    std::optional<TlsFiles> tls = {};
    ServerLimits limits = {};
  };

  /// Serves until destroyed. `coordinator` must outlive it. Throws Error for an address that is
  /// taken, also by another coordinator, for one beyond loopback without a token, and for
  /// certificates that cannot be read.
  CoordinatorServer(Coordinator& coordinator, const Options& options);
  /// Ends streams, waiting a second at most for calls under way.
  ~CoordinatorServer();
  CoordinatorServer(const CoordinatorServer&) = delete;
  CoordinatorServer& operator=(const CoordinatorServer&) = delete;

  /// With the true port.
  const std::string& address() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace convoy::dist
