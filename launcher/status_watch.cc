// `convoy status --watch`.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <optional>

#include "launcher/live_screen.h"
#include "launcher/signal_wait.h"
#include "launcher/status_command.h"

namespace convoy::launcher {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kFoot = "\nCtrl-C ends the watching, not the run\n";
// Between two tries to reach a coordinator that went away.
constexpr milliseconds kRetry{500};

// JSON a line each, everything else in place.
class Output {
 public:
  explicit Output(const StatusOptions& options) {
    if (!options.json) {
      screen_.emplace(terminal_of(STDOUT_FILENO));
    }
  }
  void show(const std::string& text, bool last) {
    if (screen_) {
      screen_->show(text, last ? "" : kFoot);
    } else {
      fmt::print("{}", text);
      std::fflush(stdout);
    }
  }

 private:
  std::optional<LiveScreen> screen_;
};

class Watch {
 public:
  Watch(const StatusOptions& options, SignalWait& signals)
      : options_(options), signals_(signals), output_(options) {}

  // Not before anything is known of it.
  bool is_over() const { return !last_.run.run().empty() && !goes_on(last_.run.state()); }
  v1::RunState state() const { return last_.run.state(); }

  // Until the run is over, a signal comes, or nobody answers any more.
  void follow() {
    const OneRun one = open_run(name_.empty() ? options_.run : name_, options_.connection);
    name_ = one.name;
    show(one.source.report(one.run, parts_of(options_)));
    if (is_over() || !one.source.is_live()) {
      return;
    }
    dist::CoordinatorClient& client = one.source.client();
    const ActionGuard guard(signals_, [&client] { client.cancel(); });
    v1::WatchRunRequest request;
    request.set_run(one.run);
    request.mutable_min_interval()->set_seconds(options_.interval.count() / 1000);
    request.mutable_min_interval()->set_nanos(
        static_cast<std::int32_t>(options_.interval.count() % 1000 * 1'000'000));
    client.watch_run(request, [&](const v1::Run& run) {
      show(one.source.report(run, parts_of(options_)));
      return !is_over();
    });
  }

  // Shows why there is nothing new, if there was something.
  bool bear(const dist::Refusal& refusal) {
    if (refusal.kind() != dist::Refusal::Kind::kUnavailable || name_.empty()) {
      return false;
    }
    StatusReport report = last_;
    report.note = fmt::format("{}; trying again", refusal.what());
    output_.show(text_of(report, options_), false);
    return true;
  }

 private:
  struct ActionGuard {
    ActionGuard(SignalWait& wait, std::function<void()> action) : signals(wait) {
      signals.set_action(std::move(action));
    }
    ~ActionGuard() { signals.set_action({}); }
    ActionGuard(const ActionGuard&) = delete;
    ActionGuard& operator=(const ActionGuard&) = delete;
    SignalWait& signals;
  };

  void show(StatusReport report) {
    last_ = std::move(report);
    output_.show(text_of(last_, options_), is_over());
  }

  const StatusOptions& options_;
  SignalWait& signals_;
  Output output_;
  std::string name_;  // once it is known
  StatusReport last_;
};

int watch_until_over(const StatusOptions& options, SignalWait& signals) {
  Watch watch(options, signals);
  while (signals.caught() == 0) {
    try {
      watch.follow();
    } catch (const dist::Refusal& refusal) {
      if (signals.caught() == 0 && !watch.bear(refusal)) {
        throw;
      }
    }
    if (watch.is_over()) {
      break;
    }
    signals.wait_for(std::max(kRetry, options.interval));
  }
  return exit_code_of(watch.state());
}

}  // namespace

int watch_run(const StatusOptions& options) {
  int exit_code = 0;
  int signal = 0;
  {
    SignalWait signals;
    exit_code = watch_until_over(options, signals);
    signal = signals.caught();
  }
  if (signal != 0) {
    SignalWait::end_by(signal);
  }
  return exit_code;
}

int watch_runs(const StatusOptions& options,
               const std::function<std::vector<StatusReport>(const StatusOptions&)>& ask) {
  int signal = 0;
  {
    const SignalWait signals;
    Output output(options);
    while (signals.caught() == 0) {
      output.show(text_of(ask(options), options), false);
      signals.wait_for(options.interval);
    }
    signal = signals.caught();
  }
  SignalWait::end_by(signal);
}

}  // namespace convoy::launcher
