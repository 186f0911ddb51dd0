// `convoy stop`: asks a run to stop, says what happens next, and waits for it if it is to.
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "core/base/check.h"
#include "core/base/host_name.h"
#include "launcher/commands.h"
#include "launcher/exit_codes.h"
#include "launcher/format.h"
#include "launcher/status_command.h"
#include "launcher/utf8.h"

namespace convoy::launcher {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kPoll{250};

std::string printable_line(const std::string& text) {
  return shown_text(text, terminal_of(STDOUT_FILENO).unicode, 8192);
}

std::string step_text(const v1::Run& run) {
  return fmt::format("step {} of {}", format_count(run.step()), format_count(run.spec().steps()));
}

std::string how_to_go_on(const v1::Run& run) {
  return run.spec().run_dir().empty()
             ? std::string()
             : printable_line(fmt::format("It goes on with: {}", resume_command(run))) + "\n";
}

// What there is to say of a run that is no longer running; the exit code.
int tell_end(const StatusReport& report) {
  const v1::Run& run = report.run;
  const std::string name = printable_line(run.run());
  switch (run.state()) {
    case v1::RUN_STATE_STOPPED:
      fmt::print("{} has stopped after {}.\n{}", name, step_text(run), how_to_go_on(run));
      return kExitDone;
    case v1::RUN_STATE_SUCCEEDED:
      fmt::print("{} has trained to its end.\n", name);
      return kExitDone;
    default:
      fail("{} is {} after {}{}{}\n{}", name, state_word(run.state()), step_text(run),
           run.state_reason().empty() ? "" : ": ", printable_line(run.state_reason()),
           how_to_go_on(run));
  }
}

// The run as it is now, whoever can tell: at its end a run takes its coordinator along.
StatusReport report_now(const std::string& name, const StopOptions& options) {
  const OneRun one = open_run(name, options.connection);
  return one.source.report(one.run, {});
}

int wait_for_end(const std::string& name, const StopOptions& options) {
  const auto began = steady_clock::now();
  std::string refusal;
  while (steady_clock::now() - began < options.timeout) {
    try {
      const StatusReport report = report_now(name, options);
      if (!goes_on(report.run.state())) {
        return tell_end(report);
      }
    } catch (const dist::Refusal& away) {
      if (away.kind() != dist::Refusal::Kind::kUnavailable) {
        throw;
      }
      refusal = fmt::format("; {}", away.what());
    }
    std::this_thread::sleep_for(kPoll);
  }
  fail("{} has not stopped within {} s{}\nit was asked to and may yet; convoy status shows it",
       printable_line(name), options.timeout.count(), refusal);
}

}  // namespace

int run_stop(const StopOptions& options) {
  OneRun one = open_run(options.run, options.connection);
  const StatusReport before = one.source.report(one.run, {});
  if (!goes_on(before.run.state())) {
    return tell_end(before);
  }
  check(one.source.is_live(), "{} cannot be asked to stop: {}", printable_line(one.run),
        printable_line(before.note));
  v1::StopRunRequest request;
  request.set_run(one.run);
  request.set_reason(options.reason.empty() ? "convoy stop on " + host_name() : options.reason);
  const v1::Run run = one.source.client().stop_run(request);
  if (has_ended(run.state())) {
    return tell_end({.run = run});
  }
  fmt::print("{} stops soon, now at {}: all its ranks after the same step, with a checkpoint.\n{}",
             printable_line(run.run()), step_text(run), how_to_go_on(run));
  std::fflush(stdout);
  return options.wait ? wait_for_end(one.name, options) : kExitDone;
}

}  // namespace convoy::launcher
