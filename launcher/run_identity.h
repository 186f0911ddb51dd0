// RUN_DIR/run.json: by which name coordinators know the run, how often it was started, and which
// coordinator it reports to, so that a run that goes on does so with the same.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

#include "launcher/report_options.h"

namespace convoy::launcher {

struct RunIdentity {
  std::string run = {};         ///< 1 to 63 of a-z, 0-9 and -
  std::int64_t generation = 0;  ///< grows with each start
  Reporting reporting = Reporting::kEmbedded;
  ConnectionOptions connection = {};  ///< with absolute paths
};

/// "20261122-2231-tutorial-7f3a": no two runs have the same, wherever they are. Of `model`, a name
/// or a file, what a name can have.
std::string make_run_name(const std::string& model, std::chrono::system_clock::time_point now);

/// Begins another generation: reads run.json, if there is a good one, lays `options` over it and
/// writes it. Throws Error.
RunIdentity next_generation(const std::filesystem::path& run_dir, const std::string& model,
                            const ReportOptions& options);

}  // namespace convoy::launcher
