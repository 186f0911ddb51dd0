#include "launcher/coordinator_endpoint.h"

#include <cstdlib>
#include <mutex>

#include "core/base/check.h"
#include "core/base/printable.h"

namespace convoy::launcher {
namespace {

constexpr const char* kTokenVariable = "CONVOY_COORDINATOR_TOKEN";

}  // namespace

dist::Token token_from(const std::filesystem::path& file) {
  if (!file.empty()) {
    return dist::read_token(file);
  }
  const char* value = std::getenv(kTokenVariable);
  const dist::Token token = value == nullptr ? "" : value;
  check(token.empty() || dist::is_token(token),
        "${} holds no token: 16 to 1024 printable characters without spaces\n"
        "make one with: openssl rand -hex 32",
        kTokenVariable);
  return token;
}

dist::Endpoint endpoint_of(const ConnectionOptions& options) {
  check(options.certificate.empty() == options.key.empty(),
        "--coordinator-cert and --coordinator-key belong together: one of them is missing");
  check(options.certificate.empty() || !options.authority.empty(),
        "--coordinator-cert needs TLS: say --coordinator-ca too");
  dist::Endpoint endpoint = {
      .address = options.address,
      .token = token_from(options.token_file),
      .tls = !options.authority.empty(),
      .tls_files = {
          .certificate = options.certificate, .key = options.key, .authority = options.authority}};
  if (!endpoint.token.empty() && !endpoint.tls && !dist::is_loopback(endpoint.address)) {
    static std::once_flag said;
    std::call_once(said, [&] {
      fmt::print(stderr,
                 "convoy: the token goes to {} unencrypted; --coordinator-ca FILE uses TLS\n",
                 printable(endpoint.address));
    });
  }
  return endpoint;
}

}  // namespace convoy::launcher
