#include "dist/coordinator/web/live_feed.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "dist/coordinator/web/json.h"

namespace convoy::dist {
namespace {

using std::chrono::steady_clock;

/// Fast enough for the eye.
constexpr std::chrono::milliseconds kInterval{250};
constexpr std::chrono::milliseconds kPatience{1000};
/// Proxies end connections that are silent for longer.
constexpr std::chrono::seconds kMaxSilence{15};
constexpr int kRuns = 200;

std::string event(std::string_view name, const std::string& json) {
  return fmt::format("event: {}\ndata: {}\n\n", name, json);
}

}  // namespace

LiveFeed::LiveFeed(Coordinator& coordinator, std::string run, std::stop_token stop)
    : coordinator_(coordinator), run_(std::move(run)), stop_(std::move(stop)) {
  // Before looking, so that no change falls in between.
  subscription_ = coordinator_.subscribe([this](const std::string& changed) {
    if (run_.empty() || changed == run_) {
      const std::lock_guard lock(mutex_);
      runs_.insert(changed);
      changed_.notify_one();
    }
  });
  if (run_.empty()) {
    v1::ListRunsRequest request;
    request.set_page_size(kRuns);
    first_ = event("runs", to_json(coordinator_.list_runs(request)));
  } else {
    v1::GetRunRequest request;
    request.set_run(run_);
    first_ = event("run", to_json(coordinator_.get_run(request)));
  }
}

std::string LiveFeed::describe(const std::string& run) const {
  v1::GetRunRequest request;
  request.set_run(run);
  try {
    return event("run", to_json(coordinator_.get_run(request)));
  } catch (const Refusal& refusal) {
    // A run's name holds nothing that JSON would have to escape.
    return event("gone", fmt::format(R"({{"run": "{}"}})", run));
  }
}

std::optional<std::string> LiveFeed::next() {
  if (!first_.empty()) {
    told_ = steady_clock::now();
    return std::exchange(first_, {});
  }
  std::set<std::string> runs;
  {
    std::unique_lock lock(mutex_);
    changed_.wait_until(lock, stop_, told_ + kInterval, [] { return false; });
    changed_.wait_for(lock, stop_, kPatience, [this] { return !runs_.empty(); });
    if (stop_.stop_requested()) {
      return std::nullopt;
    }
    runs.swap(runs_);
  }
  std::string text;
  for (const std::string& run : runs) {
    text += describe(run);
  }
  const auto now = steady_clock::now();
  if (text.empty() && now - told_ > kMaxSilence) {
    text = ": nothing new\n\n";
  }
  if (!text.empty()) {
    told_ = now;
  }
  return text;
}

}  // namespace convoy::dist
