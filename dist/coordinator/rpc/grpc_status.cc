#include "dist/coordinator/rpc/grpc_status.h"

#include <new>

#include "core/base/printable.h"
#include "dist/coordinator/base/log.h"

namespace convoy::dist {
namespace {

using Kind = Refusal::Kind;

// It travels in a header, and headers are bounded.
constexpr std::size_t kMaxTextBytes = 1024;

grpc::StatusCode code_of(Kind kind) {
  switch (kind) {
    case Kind::kInvalidArgument:
      return grpc::StatusCode::INVALID_ARGUMENT;
    case Kind::kNotFound:
      return grpc::StatusCode::NOT_FOUND;
    case Kind::kFailedPrecondition:
      return grpc::StatusCode::FAILED_PRECONDITION;
    case Kind::kAborted:
      return grpc::StatusCode::ABORTED;
    case Kind::kResourceExhausted:
      return grpc::StatusCode::RESOURCE_EXHAUSTED;
    case Kind::kUnauthenticated:
      return grpc::StatusCode::UNAUTHENTICATED;
    case Kind::kUnavailable:
      break;
  }
  return grpc::StatusCode::UNAVAILABLE;
}

}  // namespace

grpc::Status to_status(const std::exception_ptr& error) noexcept {
  try {
    std::rethrow_exception(error);
  } catch (const Refusal& refusal) {
    return {code_of(refusal.kind()), std::string(refusal.what()).substr(0, kMaxTextBytes)};
  } catch (const std::bad_alloc&) {
    return {grpc::StatusCode::RESOURCE_EXHAUSTED, "out of memory"};
  } catch (const std::exception& other) {
    log_from_outside(LogLevel::kError, "a request failed: {}", printable(other.what()));
  } catch (...) {
    log_from_outside(LogLevel::kError, "a request failed");
  }
  return {grpc::StatusCode::INTERNAL, "the coordinator could not do it; its log tells why"};
}

Refusal to_refusal(const grpc::Status& status, std::string_view server) {
  const std::string& text = status.error_message();
  switch (status.error_code()) {
    case grpc::StatusCode::INVALID_ARGUMENT:
      return {Kind::kInvalidArgument, text};
    case grpc::StatusCode::NOT_FOUND:
      return {Kind::kNotFound, text};
    case grpc::StatusCode::FAILED_PRECONDITION:
      return {Kind::kFailedPrecondition, text};
    case grpc::StatusCode::ABORTED:
      return {Kind::kAborted, text};
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return {Kind::kResourceExhausted, text};
    case grpc::StatusCode::UNAUTHENTICATED:
    case grpc::StatusCode::PERMISSION_DENIED:
      return {Kind::kUnauthenticated, text};
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return {Kind::kUnavailable,
              fmt::format("the coordinator at {} did not answer in time", printable(server))};
    case grpc::StatusCode::CANCELLED:
      return {Kind::kUnavailable,
              fmt::format("the call to the coordinator at {} was cancelled", printable(server))};
    case grpc::StatusCode::UNIMPLEMENTED:
      return {Kind::kUnavailable,
              fmt::format("what answers at {} is no coordinator, or an older one: {}",
                          printable(server), text)};
    default:
      return {Kind::kUnavailable,
              fmt::format("the coordinator at {} is out of reach: {}", printable(server), text)};
  }
}

}  // namespace convoy::dist
