// One run at a glance.
#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "launcher/bar.h"
#include "launcher/format.h"
#include "launcher/status_report.h"
#include "launcher/status_shared.h"

namespace convoy::launcher {
namespace {

constexpr int kLabelWidth = 13;
constexpr int kWidestBar = 50;
constexpr std::size_t kMaxEvents = 5;

std::string row(std::string_view label, std::string_view text, const StatusScreen& screen) {
  return painted(fmt::format("{:<{}}", label, kLabelWidth), kDim, screen) + std::string(text) +
         "\n";
}

std::string_view phase_word(v1::Phase phase) {
  switch (phase) {
    case v1::PHASE_STARTING:
      return "starting";
    case v1::PHASE_TRAINING:
      return "training";
    case v1::PHASE_TESTING:
      return "testing";
    default:
      return "";
  }
}

std::string head(const v1::Run& run, const StatusScreen& screen) {
  const bool ended = has_ended(run.state());
  std::string text = painted(shown(run.run(), screen), kBold, screen) + "  " +
                     painted(state_word(run.state()), colour_of(run.state()), screen);
  if (!ended && run.phase() != v1::PHASE_UNSPECIFIED) {
    text += fmt::format(", {}", phase_word(run.phase()));
  }
  if (ended) {
    const auto took = time_of(run.end_time()) - time_of(run.start_time());
    text += fmt::format("  after {}, {} ago", format_duration(took), since(run.end_time(), screen));
  } else if (run.state() == v1::RUN_STATE_LOST) {
    text += fmt::format("  last heard of {} ago", since(run.update_time(), screen));
  } else {
    text += fmt::format("  for {}", since(run.start_time(), screen));
  }
  if (run.generation() > 1) {
    text += fmt::format(", resumed (generation {})", run.generation());
  }
  const v1::RunSpec& spec = run.spec();
  text +=
      fmt::format("\n{} on {}, batch {}, {} rank{} x {} thread{}\n\n", shown(spec.model(), screen),
                  shown(spec.dataset(), screen), format_count(spec.batch_size()),
                  format_count(spec.world_size()), spec.world_size() == 1 ? "" : "s",
                  spec.threads(), spec.threads() == 1 ? "" : "s");
  return text;
}

std::string progress(const v1::Run& run, const StatusScreen& screen) {
  const double share = share_done(run);
  std::string right = fmt::format("{:3.0f} %", std::floor(100 * share));
  if (run.has_remaining()) {
    right += fmt::format("  ETA {}", format_duration(duration_of(run.remaining())));
  }
  const int width = std::min(
      kWidestBar, screen.columns - kLabelWidth - 2 - std::max(18, static_cast<int>(right.size())));
  const std::string steps = fmt::format("{} of {}    step {} of {}", format_count(run.epoch()),
                                        format_count(run.spec().epochs()), format_count(run.step()),
                                        format_count(run.spec().steps()));
  const std::string line = width < 5 ? right : bar(share, width, screen.terminal) + "  " + right;
  return row("epoch", steps, screen) + row("", line, screen);
}

std::string metrics(const v1::Run& run, const StatusScreen& screen) {
  const auto pass = [&](std::string_view label, const v1::Sums& sums, const std::string& which) {
    return sums.images() == 0 ? std::string()
                              : row(label,
                                    fmt::format("loss {:>7}   accuracy {:>8}   {}", loss_of(sums),
                                                accuracy_of(sums), which),
                                    screen);
  };
  const v1::EpochMetrics& last = run.last_epoch();
  // What the epoch in progress has so far, until it is finished.
  const bool so_far = run.epoch() > last.epoch() && run.epoch_so_far().images() > 0;
  std::string text =
      so_far ? pass("train", run.epoch_so_far(), fmt::format("epoch {} so far", run.epoch()))
             : pass("train", last.train(), fmt::format("epoch {}", last.epoch()));
  text += pass("test", last.test(), fmt::format("after epoch {}", last.epoch()));
  const double speed = run.images_per_second() > 0 && !has_ended(run.state())
                           ? run.images_per_second()
                           : last.images_per_second();
  return text + (speed > 0 ? row("speed", format_rate(speed) + " images/s", screen) : "");
}

std::string trouble(const v1::Run& run, const StatusScreen& screen) {
  std::string text;
  const bool going = run.state() == v1::RUN_STATE_RUNNING || run.state() == v1::RUN_STATE_STOPPING;
  if (going) {
    const bool all = run.ranks_alive() == run.spec().world_size();
    const std::string ranks = fmt::format("{} of {} alive", format_count(run.ranks_alive()),
                                          format_count(run.spec().world_size()));
    text += row("ranks", all ? ranks : painted(ranks, kRed, screen), screen);
    if (run.has_straggler()) {
      const std::string slow = fmt::format(
          "rank {} ({}) computes {:.2f} times as long as the others", run.straggler().rank(),
          shown(run.straggler().host(), screen), run.straggler().factor());
      text += row("straggler", painted(slow, kYellow, screen), screen);
    }
    if (!run.waiting_for().empty()) {
      text += row("waiting",
                  painted(fmt::format("for {}", shown(run.waiting_for(), screen)), kYellow, screen),
                  screen);
    }
  }
  if (run.lost_steps() > 0) {
    text += row("unknown",
                fmt::format("{} steps, whose reports were dropped", format_count(run.lost_steps())),
                screen);
  }
  if (!run.state_reason().empty()) {
    text += row("reason", shown(run.state_reason(), screen), screen);
  }
  if (!going && run.state() != v1::RUN_STATE_SUCCEEDED && !run.spec().run_dir().empty()) {
    text += row("resume", shown(resume_command(run), screen, 8192), screen);
  }
  return text;
}

// "22:48:01", or with its day if that is another.
std::string clock_time(const google::protobuf::Timestamp& time, const StatusScreen& screen) {
  const auto parts_of = [](std::chrono::system_clock::time_point point) {
    const std::time_t seconds = std::chrono::system_clock::to_time_t(point);
    std::tm parts = {};
    localtime_r(&seconds, &parts);
    return parts;
  };
  const std::tm then = parts_of(time_of(time));
  const std::tm now = parts_of(screen.now);
  const bool today = then.tm_year == now.tm_year && then.tm_yday == now.tm_yday;
  char text[32];
  return {text, std::strftime(text, sizeof text, today ? "%H:%M:%S" : "%d %b %H:%M", &then)};
}

std::string events_text(std::span<const v1::Event> events, const StatusScreen& screen) {
  std::string text;
  for (const v1::Event& event : events.first(std::min(events.size(), kMaxEvents))) {
    const std::string line = shown(event.text(), screen);
    const bool info = event.severity() <= v1::SEVERITY_INFO;
    const char* colour = event.severity() == v1::SEVERITY_ERROR ? kRed : kYellow;
    text +=
        row(clock_time(event.time(), screen), info ? line : painted(line, colour, screen), screen);
  }
  return text.empty() ? "" : "\n" + text;
}

}  // namespace

std::string status_text(const StatusReport& report, const StatusScreen& screen) {
  const v1::Run& run = report.run;
  std::string text =
      head(run, screen) + progress(run, screen) + metrics(run, screen) + trouble(run, screen);
  if (!report.page.empty()) {
    text += row("page", shown(report.page, screen), screen);
  }
  text += events_text(report.events, screen);
  for (const std::string& part : {ranks_text(report.ranks, screen), history_text(report, screen)}) {
    text += part.empty() ? "" : "\n" + part;
  }
  if (!report.note.empty()) {
    text += fmt::format("\n{}\n", painted(shown(report.note, screen), kYellow, screen));
  }
  return fitted(text, screen);
}

}  // namespace convoy::launcher
