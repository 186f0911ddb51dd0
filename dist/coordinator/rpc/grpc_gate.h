// Who is let in, and how often. Only for dist/coordinator/rpc/grpc_*.
#pragma once

#include <grpcpp/server_context.h>

#include <atomic>

#include "dist/coordinator/base/rate_limit.h"
#include "dist/coordinator/net/endpoint.h"

namespace convoy::dist {

/// Thread safe.
class Gate {
 public:
  /// An empty token lets everybody in.
  Gate(Token token, double calls_per_second)
      : token_(std::move(token)), rate_(calls_per_second, calls_per_second) {}

  /// To be asked once for each call: OK, or UNAVAILABLE once closed, UNAUTHENTICATED,
  /// RESOURCE_EXHAUSTED. Who is not let in takes nothing from others' rate.
  grpc::Status admit(const grpc::ServerContextBase& context);
  /// For each further message of a stream that was let in.
  grpc::Status admit_message();
  void close() { closed_ = true; }

 private:
  bool knows_token(const grpc::ServerContextBase& context) const;

  const Token token_;
  RateLimit rate_;
  std::atomic<bool> closed_{false};
};

}  // namespace convoy::dist
