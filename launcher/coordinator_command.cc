// `convoy coordinator` and `convoy coordinator log-level`.
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/base/check.h"
#include "core/base/file_descriptor.h"
#include "core/base/printable.h"
#include "dist/coordinator/base/log.h"
#include "dist/coordinator/coordinator.h"
#include "dist/coordinator/rpc/client.h"
#include "dist/coordinator/rpc/server.h"
#include "dist/coordinator/web/http_server.h"
#include "launcher/commands.h"
#include "launcher/coordinator_endpoint.h"
#include "launcher/exit_codes.h"
#include "launcher/signal_wait.h"
#include "launcher/utf8.h"

namespace convoy::launcher {
namespace {

using dist::LogLevel;

// For this user alone, also if it was there before.
void make_state_dir(const std::filesystem::path& path) {
  std::error_code error;
  if (path.has_parent_path()) {
    std::filesystem::create_directories(path.parent_path(), error);
  }
  const bool made = mkdir(path.c_str(), 0700) == 0 || errno == EEXIST;
  check(made, "cannot make the state directory {}: {}", printable(path.string()), system_reason());
  struct stat status = {};
  check(stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode),
        "the state directory {} is no directory", printable(path.string()));
  check((status.st_mode & 07777) == 0700 || chmod(path.c_str(), 0700) == 0,
        "the state directory {} is open to others and cannot be closed: {}",
        printable(path.string()), system_reason());
}

// Refuses what would be open to everybody, before anything listens.
void check_exposure(const std::string& flag, const std::string& address, const dist::Token& token,
                    bool tls) {
  if (address.empty() || dist::is_loopback(address)) {
    return;
  }
  check(!token.empty(),
        "{} {}: beyond this machine callers must know a token\n"
        "make one with: (umask 077; openssl rand -hex 32 > token), and say --token-file token",
        flag, printable(address));
  if (!tls) {
    dist::log(LogLevel::kWarning,
              "{} {} is without TLS: token and all go over the network for everyone to read; say "
              "--tls-cert and --tls-key",
              flag, address);
  }
}

std::optional<dist::TlsFiles> tls_of(const CoordinatorOptions& options) {
  check(options.certificate.empty() == options.key.empty(),
        "--tls-cert and --tls-key belong together: one of them is missing");
  check(options.client_authority.empty() || !options.certificate.empty(),
        "--tls-client-ca needs TLS: say --tls-cert and --tls-key too");
  if (options.certificate.empty()) {
    return std::nullopt;
  }
  return dist::TlsFiles{.certificate = options.certificate,
                        .key = options.key,
                        .authority = options.client_authority};
}

void announce(const CoordinatorOptions& options, const std::string& address,
              const std::string& page) {
  dist::log(LogLevel::kInfo, "listening on {}{}", address,
            page.empty() ? page : fmt::format(", page {}", page));
  if (options.json) {
    const nlohmann::ordered_json object = {{"address", address},
                                           {"page", page},
                                           {"pid", getpid()},
                                           {"state_dir", options.state_dir.string()}};
    fmt::print("{}\n",
               object.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace));
    std::fflush(stdout);
  }
}

LogLevel level_of(int level) {
  return static_cast<LogLevel>(level - v1::LOG_LEVEL_ERROR);
}

}  // namespace

int run_coordinator(const CoordinatorOptions& options) {
  const SignalWait signals;
  dist::set_log_level(level_of(options.log_level));
  const dist::Token token = token_from(options.token_file);
  const std::optional<dist::TlsFiles> tls = tls_of(options);
  check_exposure("--listen", options.listen, token, tls.has_value());
  check_exposure("--http", options.http, token, tls.has_value());
  make_state_dir(options.state_dir);
  dist::Coordinator coordinator(
      {.database = options.state_dir / "coordinator.db",
       .limits = {.steps_per_run = options.keep_steps,
                  .keep_ended = std::chrono::hours(24 * options.keep_days)}});
  const dist::CoordinatorServer server(coordinator,
                                       {.listen = options.listen, .token = token, .tls = tls});
  std::optional<dist::HttpServer> page;
  if (!options.http.empty()) {
    page.emplace(coordinator,
                 dist::HttpServer::Options{.listen = options.http, .token = token, .tls = tls});
  }
  announce(options, server.address(), page ? page->url() : "");
  signals.wait();
  dist::log(LogLevel::kInfo, "ending: {}", sigabbrev_np(signals.caught()));
  return kExitDone;
}

int run_log_level(const LogLevelOptions& options) {
  dist::CoordinatorClient client({.endpoint = endpoint_of(options.connection)});
  v1::SetLogLevelRequest request;
  request.set_level(static_cast<v1::LogLevel>(options.level));
  client.set_log_level(request);
  return kExitDone;
}

}  // namespace convoy::launcher
