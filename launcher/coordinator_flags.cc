// Flags of the commands around the coordinator.
#include <CLI/App.hpp>
#include <array>
#include <cmath>

#include "convoy/v1/coordinator.pb.h"
#include "core/base/printable.h"
#include "launcher/flags.h"

namespace convoy::launcher {
namespace {

constexpr const char* kStatusExamples = R"(Examples:
  convoy status                     the newest run on this machine
  convoy status --watch             until it ends
  convoy status runs/latest --history --ranks
  convoy status --all               a line for every run
  convoy status --json | jq .run.images_per_second
  convoy status --coordinator node1:7070 --coordinator-token-file token --coordinator-ca ca.pem

Exit code: 0 if there was an answer. With --watch that of the run: 0 trained to the end, 75 stopped
on request, 1 failed or lost.

--json prints {"source", "note", "run", "events"}, and "ranks" and "epochs" if asked for; of several
runs {"runs"}. "source" is "coordinator" or "database"; "run" and the rest are the messages of
proto/convoy/v1/run.proto in Protobuf's JSON: names as there, 64-bit numbers as strings.
)";

constexpr const char* kStopExamples = R"(Examples:
  convoy stop                       the newest run on this machine
  convoy stop runs/latest --wait
  convoy stop 20250131-142501-best-1 --reason "the machine is needed" --coordinator node1:7070

All ranks stop after the same step and write a checkpoint. Exit code: 0 asked for, or with --wait
done; 1 if there is nothing to stop, or --wait took longer than --timeout.
)";

constexpr const char* kCoordinatorExamples = R"(Examples:
  convoy coordinator --state-dir /var/lib/convoy
  convoy coordinator --state-dir DIR --listen 0.0.0.0:7070 --token-file token \
    --tls-cert server.pem --tls-key server.key
  convoy train --coordinator HOST:7070 --coordinator-token-file token --coordinator-ca ca.pem
  convoy coordinator log-level debug

Ends cleanly on SIGINT and SIGTERM. A run on this machine alone needs none: it brings its own.
)";

constexpr const char* kLogLevelExamples = R"(Examples:
  convoy coordinator log-level debug
  convoy coordinator log-level info --coordinator node1:7070 --coordinator-token-file token
)";

// From v1::LOG_LEVEL_ERROR on.
std::span<const std::string> log_levels() {
  static const std::array<std::string, 4> names = {"error", "warning", "info", "debug"};
  return names;
}

int parse_log_level(const std::string& name, const std::string& text) {
  return v1::LOG_LEVEL_ERROR + static_cast<int>(parse_word(name, text, log_levels()));
}

void add_argument(CLI::App& app, const Flag& flag, std::string& target) {
  app.add_option_function<std::string>(
         flag.name, [&target](const std::string& text) { target = text; }, flag.help)
      ->type_name("");
}

void add_text(CLI::App& app, const Flag& flag, std::string& target) {
  add_value(app, flag, [&target](const std::string& text) { target = text; });
}

void add_json(CLI::App& app, const std::string& help, bool& target) {
  add_switch(app, {"--json", "", help, kProgram}, [&target](bool on) { target = on; });
}

}  // namespace

std::string parse_address(const std::string& name, const std::string& text) {
  const std::size_t colon = text.rfind(':');
  const std::string port = colon == text.npos ? "" : text.substr(colon + 1);
  const bool whole = !port.empty() && port.size() <= 5 &&
                     port.find_first_not_of("0123456789") == port.npos && std::stoi(port) < 65536;
  if (!whole || colon == 0) {
    throw UsageError(fmt::format("{} {}: must be HOST:PORT", name, printable(text)));
  }
  return text;
}

void add_access_flags(CLI::App& app, ConnectionOptions& options) {
  const std::string group = kCoordinator;
  add_path(app,
           {"--coordinator-token-file", "FILE", "Its token [$CONVOY_COORDINATOR_TOKEN]", group},
           options.token_file);
  add_path(app,
           {"--coordinator-ca", "FILE", "Use TLS; who must have signed its certificate", group},
           options.authority);
  add_path(app, {"--coordinator-cert", "FILE", "Own certificate, if it demands one", group},
           options.certificate);
  add_path(app, {"--coordinator-key", "FILE", "The key to that", group}, options.key);
}

void add_connection_flags(CLI::App& app, ConnectionOptions& options,
                          const std::string& address_help) {
  add_value(app, {"--coordinator", "HOST:PORT", address_help, kCoordinator},
            [&options](const std::string& text) {
              options.address = parse_address("--coordinator", text);
            });
  add_access_flags(app, options);
}

void add_flags(CLI::App& app, StatusOptions& options) {
  app.footer(kStatusExamples);
  add_argument(app, {"RUN", "", "A run's name or directory [the newest on this machine]"},
               options.run);
  const std::string group = "What to show";
  const auto add = [&](const char* name, const char* help, bool& target) {
    add_switch(app, {name, "", help, group}, [&target](bool on) { target = on; });
  };
  add("--watch", "Refresh until the run ends", options.watch);
  add("--ranks", "Every rank: where it runs, how fast, when last seen", options.ranks);
  add("--history", "Every epoch, and the curves of loss and accuracy", options.history);
  add("--all", "One line for every run", options.all);
  add_value(app, {"--interval", "S", "Seconds between refreshes [1]", group},
            [&options](const std::string& text) {
              options.interval = std::chrono::milliseconds(
                  std::llround(1000 * parse_number("--interval", text, range(0.1, 3600))));
            });
  add_connection_flags(app, options.connection, "Ask this one [the run's own]");
  add_json(app, "Print one JSON object on stdout; with --watch one a line", options.json);
}

void add_flags(CLI::App& app, StopOptions& options) {
  app.footer(kStopExamples);
  add_argument(app, {"RUN", "", "A run's name or directory [the newest on this machine]"},
               options.run);
  const std::string group = "Stopping";
  add_text(app, {"--reason", "TEXT", "Shown among the run's events", group}, options.reason);
  add_switch(app, {"--wait", "", "Return when it has stopped", group},
             [&options](bool on) { options.wait = on; });
  add_value(app, {"--timeout", "S", "At most, with --wait [300]", group},
            [&options](const std::string& text) {
              options.timeout =
                  std::chrono::seconds(parse_whole("--timeout", text, range(1, 86400)));
            });
  add_connection_flags(app, options.connection, "Ask this one [the run's own]");
}

void add_flags(CLI::App& app, CoordinatorOptions& options) {
  app.footer(kCoordinatorExamples);
  const std::string group = "Service";
  add_value(
      app, {"--listen", "HOST:PORT", "For training runs and commands [127.0.0.1:7070]", group},
      [&options](const std::string& text) { options.listen = parse_address("--listen", text); });
  add_value(app, {"--http", "HOST:PORT", "For browsers; or none [127.0.0.1:7071]", group},
            [&options](const std::string& text) {
              options.http = text == "none" ? "" : parse_address("--http", text);
            });
  const std::string access = "Access";
  add_path(app,
           {"--token-file", "FILE", "What callers must know [$CONVOY_COORDINATOR_TOKEN]", access},
           options.token_file);
  add_path(app, {"--tls-cert", "FILE", "Use TLS, with this certificate", access},
           options.certificate);
  add_path(app, {"--tls-key", "FILE", "The key to that", access}, options.key);
  add_path(app,
           {"--tls-client-ca", "FILE", "Demand certificates of callers, signed by this", access},
           options.client_authority);
  const std::string state = "State";
  add_path(app, {"--state-dir", "DIR", "Where it keeps what it was told; needed", state},
           options.state_dir);
  add_value(app, {"--keep-days", "N", "Forget ended runs after so many days [365]", state},
            [&options](const std::string& text) {
              options.keep_days = parse_whole("--keep-days", text, range(1, 36500));
            });
  add_value(app, {"--keep-steps", "N", "Of each run, the newest [1000000]", state},
            [&options](const std::string& text) {
              options.keep_steps = parse_whole("--keep-steps", text, range(1, 1e9));
            });
  add_value(app, {"--log-level", "LEVEL", "error, warning, info or debug [info]", kProgram},
            [&options](const std::string& text) {
              options.log_level = parse_log_level("--log-level", text);
            });
  add_json(app, "Print where it listens as one JSON object on stdout", options.json);
}

void add_flags(CLI::App& app, LogLevelOptions& options) {
  app.footer(kLogLevelExamples);
  app.add_option_function<std::string>(
         "LEVEL",
         [&options](const std::string& text) { options.level = parse_log_level("LEVEL", text); },
         "error, warning, info or debug")
      ->type_name("")
      ->required();
  add_connection_flags(app, options.connection, "Which one [127.0.0.1:7070]");
}

}  // namespace convoy::launcher
