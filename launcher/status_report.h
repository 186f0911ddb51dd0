// What `convoy status` was told, and how it is shown: pure functions of it.
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "convoy/v1/run.pb.h"
#include "dist/coordinator/book/run_states.h"
#include "launcher/terminal.h"

namespace convoy::launcher {

using dist::goes_on;
using dist::has_ended;

/// Of one run. What was not asked for is empty.
struct StatusReport {
  v1::Run run = {};
  std::vector<v1::Event> events = {};  ///< newest first
  std::vector<v1::Rank> ranks = {};
  std::vector<v1::EpochMetrics> epochs = {};
  std::vector<v1::StepMetrics> steps = {};  ///< joined to a few hundred points
  bool from_database = false;               ///< nobody answers for the run any more
  std::string note = {};                    ///< why, and whatever else is to be said
  std::string page = {};                    ///< URL for browsers; may be empty
};

/// What was asked for besides the run and its last events.
struct StatusParts {
  bool ranks = false;
  bool history = false;
};

/// What it is shown on. Lines are cut to `columns` where they can be redrawn in place.
struct StatusScreen {
  Terminal terminal = {};
  int columns = 80;
  std::chrono::system_clock::time_point now = std::chrono::system_clock::now();
};

/// One run; with its ranks and history if the report has them.
std::string status_text(const StatusReport& report, const StatusScreen& screen);
/// A line for each.
std::string status_lines(std::span<const StatusReport> reports, const StatusScreen& screen);
/// The tables alone; empty without anything to show.
std::string ranks_text(std::span<const v1::Rank> ranks, const StatusScreen& screen);
std::string history_text(const StatusReport& report, const StatusScreen& screen);

/// One JSON object, in one line, in ASCII. `convoy status --help` describes it.
std::string status_json(const StatusReport& report, const StatusParts& parts);
std::string status_json(std::span<const StatusReport> reports);

/// "running", "stopped".
std::string_view state_word(v1::RunState state);
/// What `convoy status --watch` ends with: 0, 75 or 1.
int exit_code_of(v1::RunState state);
/// The command that goes on with the run, to be pasted into a shell.
std::string resume_command(const v1::Run& run);

}  // namespace convoy::launcher
