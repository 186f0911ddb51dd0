#include "launcher/status_shared.h"

#include <fmt/format.h>

#include <algorithm>

#include "launcher/exit_codes.h"
#include "launcher/format.h"
#include "launcher/mpirun_command.h"
#include "launcher/utf8.h"

namespace convoy::launcher {

std::string painted(std::string_view text, const char* colour, const StatusScreen& screen) {
  return screen.terminal.colour ? fmt::format("{}{}\x1b[0m", colour, text) : std::string(text);
}

const char* colour_of(v1::RunState state) {
  switch (state) {
    case v1::RUN_STATE_RUNNING:
    case v1::RUN_STATE_SUCCEEDED:
      return kGreen;
    case v1::RUN_STATE_STOPPING:
    case v1::RUN_STATE_STOPPED:
      return kYellow;
    default:
      return kRed;
  }
}

std::string shown(std::string_view text, const StatusScreen& screen, std::size_t max_length) {
  return shown_text(text, screen.terminal.unicode, max_length);
}

std::string fitted(const std::string& text, const StatusScreen& screen) {
  return screen.terminal.interactive ? fit_lines(text, screen.columns) : text;
}

int table_width(const StatusScreen& screen) {
  return screen.terminal.interactive ? screen.columns : 1000;
}

double share_done(const v1::Run& run) {
  const auto steps = static_cast<double>(run.spec().steps());
  return steps > 0 ? std::clamp(static_cast<double>(run.step()) / steps, 0.0, 1.0) : 0.0;
}

std::chrono::system_clock::time_point time_of(const google::protobuf::Timestamp& time) {
  // Within the years 1 to 9999, which is what a Timestamp may hold and a time_point can.
  const std::int64_t seconds =
      std::clamp<std::int64_t>(time.seconds(), -2'000'000'000, 9'000'000'000);
  return std::chrono::system_clock::time_point(std::chrono::seconds(seconds) +
                                               std::chrono::nanoseconds(time.nanos()));
}

std::chrono::duration<double> duration_of(const google::protobuf::Duration& duration) {
  return std::chrono::duration<double>(static_cast<double>(duration.seconds()) +
                                       1e-9 * static_cast<double>(duration.nanos()));
}

std::string since(const google::protobuf::Timestamp& time, const StatusScreen& screen) {
  return format_duration(
      std::max(screen.now - time_of(time), std::chrono::system_clock::duration(0)));
}

std::string loss_of(const v1::Sums& sums) {
  return sums.images() > 0 ? format_loss(sums.loss_sum() / static_cast<double>(sums.images())) : "";
}

std::string accuracy_of(const v1::Sums& sums) {
  return sums.images() > 0 ? format_percent(static_cast<double>(sums.correct()) /
                                            static_cast<double>(sums.images()))
                           : "";
}

std::string_view state_word(v1::RunState state) {
  switch (state) {
    case v1::RUN_STATE_RUNNING:
      return "running";
    case v1::RUN_STATE_STOPPING:
      return "stopping";
    case v1::RUN_STATE_STOPPED:
      return "stopped";
    case v1::RUN_STATE_SUCCEEDED:
      return "succeeded";
    case v1::RUN_STATE_FAILED:
      return "failed";
    case v1::RUN_STATE_LOST:
      return "lost";
    default:
      return "unknown";
  }
}

int exit_code_of(v1::RunState state) {
  return state == v1::RUN_STATE_STOPPED     ? kExitStopped
         : state == v1::RUN_STATE_SUCCEEDED ? kExitDone
                                            : kExitError;
}

std::string resume_command(const v1::Run& run) {
  return shell_line({"convoy", "train", "--resume", run.spec().run_dir()});
}

}  // namespace convoy::launcher
