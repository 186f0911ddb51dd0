// `convoy status`: shows how runs are doing, once or until they end.
#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "core/base/check.h"
#include "launcher/commands.h"
#include "launcher/coordinator_endpoint.h"
#include "launcher/exit_codes.h"
#include "launcher/run_finder.h"
#include "launcher/status_command.h"

namespace convoy::launcher {
namespace {

// Each is asked for itself.
constexpr std::size_t kMaxRunsHere = 50;
// All runs: of the coordinator that was named, or of this machine.
std::vector<StatusReport> all_reports(const StatusOptions& options) {
  if (!options.connection.address.empty()) {
    return StatusSource(endpoint_of(options.connection)).reports();
  }
  std::vector<StatusReport> reports;
  std::vector<FoundRun> runs = RunFinder(RunFinder::standard_options()).all();
  runs.resize(std::min(runs.size(), kMaxRunsHere));
  for (const FoundRun& found : runs) {
    try {
      const StatusSource source(found);
      reports.push_back(source.brief(source.run()));
    } catch (const Error& error) {
      // One damaged database must not hide the other runs.
      StatusReport& report = reports.emplace_back();
      report.run.set_run(found.run.empty() ? found.directory.filename().string() : found.run);
      report.note = error.what();
    }
  }
  return reports;
}

// A run of this machine may end, and its coordinator with it, between two questions. Asked anew,
// what it left on disk answers.
StatusReport one_report(const StatusOptions& options) {
  const auto ask = [&] {
    const OneRun one = open_run(options.run, options.connection);
    return one.source.report(one.run, parts_of(options));
  };
  try {
    return ask();
  } catch (const dist::Refusal& refusal) {
    if (refusal.kind() != dist::Refusal::Kind::kUnavailable ||
        !options.connection.address.empty()) {
      throw;
    }
  }
  return ask();
}

StatusScreen screen_now() {
  return {.terminal = terminal_of(STDOUT_FILENO), .columns = terminal_columns(STDOUT_FILENO)};
}

}  // namespace

StatusParts parts_of(const StatusOptions& options) {
  return {.ranks = options.ranks, .history = options.history};
}

std::string text_of(const StatusReport& report, const StatusOptions& options) {
  return options.json ? status_json(report, parts_of(options)) + "\n"
                      : status_text(report, screen_now());
}

std::string text_of(const std::vector<StatusReport>& reports, const StatusOptions& options) {
  return options.json ? status_json(reports) + "\n" : status_lines(reports, screen_now());
}

OneRun open_run(const std::string& run, const ConnectionOptions& connection) {
  if (!connection.address.empty()) {
    check(!run.empty(),
          "name the run: the coordinator at {} may have many\n"
          "convoy status --coordinator {} lists them",
          connection.address, connection.address);
    return {.source = StatusSource(endpoint_of(connection)), .run = run, .name = run};
  }
  const FoundRun found = RunFinder(RunFinder::standard_options()).find(run);
  OneRun one = {.source = StatusSource(found), .name = found.directory.string()};
  one.run = one.source.run();
  return one;
}

int run_status(const StatusOptions& options) {
  const bool many = options.all || (!options.connection.address.empty() && options.run.empty());
  if (options.watch) {
    return many ? watch_runs(options, all_reports) : watch_run(options);
  }
  if (many) {
    std::cout << text_of(all_reports(options), options) << std::flush;
  } else {
    std::cout << text_of(one_report(options), options) << std::flush;
  }
  return kExitDone;
}

}  // namespace convoy::launcher
