// What `convoy status`, its --watch and `convoy stop` share.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "launcher/coordinator_options.h"
#include "launcher/status_report.h"
#include "launcher/status_source.h"

namespace convoy::launcher {

/// Where one run is asked for.
struct OneRun {
  StatusSource source;
  std::string run = {};   ///< what it is called there
  std::string name = {};  ///< what open_run finds the same one by
};

/// The run of that name or directory: of this machine, or of a coordinator at an address.
OneRun open_run(const std::string& run, const ConnectionOptions& connection);

StatusParts parts_of(const StatusOptions& options);
/// As --json and the terminal want it.
std::string text_of(const StatusReport& report, const StatusOptions& options);
std::string text_of(const std::vector<StatusReport>& reports, const StatusOptions& options);

/// Shows a run until it has ended or is lost, and returns the exit code that tells how.
int watch_run(const StatusOptions& options);
/// Shows runs until a signal comes.
int watch_runs(const StatusOptions& options,
               const std::function<std::vector<StatusReport>(const StatusOptions&)>& ask);

}  // namespace convoy::launcher
