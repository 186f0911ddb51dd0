// What the commands around the coordinator are asked for: status, stop, coordinator and its
// log-level.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

namespace convoy::launcher {

/// How to reach a coordinator that is not a run's own.
struct ConnectionOptions {
  std::string address = {};  ///< HOST:PORT; empty: the run's own, on this machine
  /// Empty: $CONVOY_COORDINATOR_TOKEN, or none.
  std::filesystem::path token_file = {};
  std::filesystem::path authority = {};    ///< PEM; given: TLS
  std::filesystem::path certificate = {};  ///< PEM, with `key`, where the coordinator demands one
  std::filesystem::path key = {};
};

struct StatusOptions {
  /// A run's name or directory. Empty: the newest of this machine; of a coordinator at an address,
  /// all.
  std::string run = {};
  ConnectionOptions connection = {};
  bool all = false;
  bool watch = false;
  bool ranks = false;
  bool history = false;
  bool json = false;
  std::chrono::milliseconds interval{1000};  ///< between two refreshes of `watch`
};

struct StopOptions {
  std::string run = {};  ///< as in StatusOptions; a coordinator at an address needs a name
  ConnectionOptions connection = {};
  std::string reason = {};
  bool wait = false;                  ///< until it has stopped
  std::chrono::seconds timeout{300};  ///< for `wait`
};

struct CoordinatorOptions {
  std::string listen = "127.0.0.1:7070";
  std::string http = "127.0.0.1:7071";  ///< the page; empty: none
  std::filesystem::path state_dir = {};
  std::filesystem::path token_file = {};   ///< empty: $CONVOY_COORDINATOR_TOKEN, or none
  std::filesystem::path certificate = {};  ///< PEM, with `key`; given: TLS
  std::filesystem::path key = {};
  std::filesystem::path client_authority = {};  ///< PEM; given: clients need certificates
  int log_level = 3;                            ///< v1::LogLevel
  std::int64_t keep_days = 365;                 ///< ended runs
  std::int64_t keep_steps = 1'000'000;          ///< of each run
  bool json = false;
};

struct LogLevelOptions {
  int level = 0;  ///< v1::LogLevel
  ConnectionOptions connection = {.address = "127.0.0.1:7070"};
};

}  // namespace convoy::launcher
