#include "launcher/job_verdict.h"

#include <fmt/format.h>

#include <csignal>
#include <cstring>

#include "core/base/printable.h"
#include "launcher/exit_codes.h"
#include "launcher/notice.h"

namespace convoy::launcher {
namespace {

std::string signal_text(int signal) {
  switch (signal) {
    case SIGKILL:
      return "was killed (signal 9)\nIf nobody did that, the kernel may have been short of memory: "
             "see dmesg on that machine.";
    case SIGBUS:
      return "crashed (signal 7, Bus error)\nA file system that it has mapped may be full: see "
             "df /dev/shm on that machine.";
    case SIGILL:
      return "crashed (signal 4, Illegal instruction)\nIts CPU may lack what convoy found or was "
             "told to use: see CONVOY_ISA.";
    case SIGINT:
    case SIGTERM:
    case SIGHUP:
      return fmt::format("was told to end (signal {}, {})", signal, strsignal(signal));
    default:
      return fmt::format("crashed (signal {}, {})", signal, strsignal(signal));
  }
}

std::string cause(const JobEnd& end) {
  const JobReport& report = end.report;
  if (report.death && report.death->signal != 0) {
    return fmt::format("rank {} ({}) {}", report.death->rank, report.death->host,
                       signal_text(report.death->signal));
  }
  if (report.error) {
    return *report.error;
  }
  if (report.lost_host) {
    return fmt::format("the connection to {} is gone; is it still running?", *report.lost_host);
  }
  if (report.death) {
    return fmt::format("rank {} ({}) left without a word", report.death->rank, report.death->host);
  }
  if (!report.has(kJoined)) {
    return fmt::format(
        "mpirun could not start the ranks (its exit code: {}); what it said stands "
        "above",
        end.exit_code);
  }
  return fmt::format("mpirun ended with exit code {}", end.exit_code);
}

std::string where(const JobReport& report) {
  const auto step = report.notices.find(kStep);
  return step == report.notices.end() ? "" : fmt::format(" after step {}", step->second);
}

std::string what_is_left(const JobEnd& end) {
  if (end.checkpoint) {
    return fmt::format("last checkpoint: {}\ngo on with: {}\n", end.checkpoint->string(),
                       end.resume_command);
  }
  return end.report.has(kRunDir) ? "there is no checkpoint yet\n" : "";
}

}  // namespace

Verdict judge(const JobEnd& end) {
  if (end.exit_code == kExitDone || end.exit_code == kExitStopped) {
    return {.exit_code = end.exit_code};
  }
  // mpirun has an exit code of its own when a signal reaches it instead of this convoy.
  if (end.report.has(kStopped)) {
    return {.exit_code = kExitStopped};
  }
  if (end.interrupted) {
    return {.exit_code = kExitError,
            .text = fmt::format("convoy: ended at once{}, as asked\n{}", where(end.report),
                                what_is_left(end))};
  }
  const bool own = end.exit_code == kExitUsage || end.exit_code == kExitRanksDisagree;
  return {.exit_code = own && !end.report.death ? end.exit_code : kExitError,
          .text = fmt::format("convoy: the job failed{}: {}\n{}", where(end.report), cause(end),
                              what_is_left(end))};
}

}  // namespace convoy::launcher
