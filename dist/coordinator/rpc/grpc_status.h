// Refusals as gRPC's status codes, and back. Only for dist/coordinator/rpc/grpc_*.
#pragma once

#include <grpcpp/support/status.h>

#include <exception>
#include <string_view>

#include "dist/coordinator/base/refusal.h"

namespace convoy::dist {

/// A Refusal becomes the code of its name; running out of memory RESOURCE_EXHAUSTED; anything else
/// INTERNAL, with the text in the log and not in the answer.
grpc::Status to_status(const std::exception_ptr& error) noexcept;

/// Of a status that is not OK. `server` is the address, for what the network did.
Refusal to_refusal(const grpc::Status& status, std::string_view server);

}  // namespace convoy::dist
