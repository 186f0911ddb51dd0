#include "dist/coordinator/rpc/grpc_gate.h"

#include "core/base/printable.h"
#include "dist/coordinator/base/log.h"

namespace convoy::dist {
namespace {

constexpr std::string_view kScheme = "Bearer ";

}  // namespace

grpc::Status Gate::admit(const grpc::ServerContextBase& context) {
  if (closed_) {
    return {grpc::StatusCode::UNAVAILABLE, "the coordinator is shutting down"};
  }
  if (!knows_token(context)) {
    log_from_outside(LogLevel::kWarning, "a call from {} had no token or a wrong one",
                     printable(context.peer()));
    return {grpc::StatusCode::UNAUTHENTICATED,
            "the coordinator wants its token, in the metadata `authorization: Bearer TOKEN`"};
  }
  return admit_message();
}

grpc::Status Gate::admit_message() {
  if (!rate_.take(std::chrono::steady_clock::now())) {
    return {grpc::StatusCode::RESOURCE_EXHAUSTED, "the coordinator is called too often"};
  }
  return grpc::Status::OK;
}

bool Gate::knows_token(const grpc::ServerContextBase& context) const {
  if (token_.empty()) {
    return true;
  }
  const auto found = context.client_metadata().find("authorization");
  if (found == context.client_metadata().end()) {
    return false;
  }
  const std::string_view value(found->second.data(), found->second.size());
  return value.starts_with(kScheme) && equal_tokens(value.substr(kScheme.size()), token_);
}

}  // namespace convoy::dist
