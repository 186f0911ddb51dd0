#include "launcher/status_source.h"

#include "core/base/check.h"
#include "core/base/host_name.h"
#include "core/base/printable.h"
#include "launcher/utf8.h"

namespace convoy::launcher {
namespace {

using dist::Refusal;

// What is on this machine answers at once, or not at all.
constexpr std::chrono::milliseconds kLocalTimeout{2000};
constexpr int kEvents = 5;
constexpr int kRuns = 1000;
constexpr int kCurvePoints = 400;
constexpr int kPage = 10'000;

template <typename Request>
Request request_for(const std::string& run) {
  Request request;
  request.set_run(run);
  return request;
}

// All pages of a list that may be long.
template <typename Item, typename Request, typename List>
std::vector<Item> all_pages(Request request, const List& list) {
  std::vector<Item> items;
  request.set_page_size(kPage);
  do {
    const auto response = list(request);
    const auto& page = [&]() -> const auto& {
      if constexpr (std::is_same_v<Item, v1::Rank>) {
        return response.ranks();
      } else if constexpr (std::is_same_v<Item, v1::EpochMetrics>) {
        return response.epochs();
      } else {
        return response.steps();
      }
    }
    ();
    items.insert(items.end(), page.begin(), page.end());
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  return items;
}

}  // namespace

template <typename Ask>
auto StatusSource::ask(const Ask& question) const {
  try {
    return std::visit([&](const auto& asked) { return question(*asked); }, asked_);
  } catch (const Refusal& refusal) {
    // Another program's words.
    throw Refusal(refusal.kind(), shown_text(refusal.what(), true));
  }
}

StatusSource::StatusSource(const dist::Endpoint& endpoint, std::chrono::milliseconds timeout)
    : asked_(std::make_unique<dist::CoordinatorClient>(
          dist::CoordinatorClient::Options{.endpoint = endpoint, .timeout = timeout})) {}

StatusSource::StatusSource(const FoundRun& found) : run_(found.run), page_(found.page) {
  if (!found.running || !takes_calls(found)) {
    open_database(found);
  }
}

bool StatusSource::takes_calls(const FoundRun& found) {
  asked_ = std::make_unique<dist::CoordinatorClient>(dist::CoordinatorClient::Options{
      .endpoint = {.address = found.address, .token = found.token}, .timeout = kLocalTimeout});
  try {
    ask([&](auto& asked) { return asked.get_run(request_for<v1::GetRunRequest>(run_)); });
    return true;
  } catch (const Refusal& refusal) {
    note_ = fmt::format("process {} does not answer: {}; shown is what it has on disk", found.pid,
                        refusal.what());
    return false;
  }
}

void StatusSource::open_database(const FoundRun& found) {
  page_.clear();
  std::error_code error;
  check(std::filesystem::exists(found.database(), error),
        "{} and there is no {}: nothing is known of this run",
        note_.empty() ? fmt::format("process {} is gone", found.pid) : note_,
        found.database().string());
  asked_ = std::make_unique<dist::Coordinator>(
      dist::Coordinator::Options{.database = found.database(), .read_only = true});
  const auto newest = [](auto& asked) {
    v1::ListRunsRequest request;
    request.set_page_size(1);
    return asked.list_runs(request);
  };
  const v1::ListRunsResponse runs = ask(newest);
  check(runs.runs_size() > 0, "{} holds no run yet", found.database().string());
  run_ = runs.runs(0).run();
  if (note_.empty()) {
    note_ = why_database(found, runs.runs(0));
  }
}

std::string StatusSource::why_database(const FoundRun& found, const v1::Run& run) const {
  if (has_ended(run.state())) {
    return "";
  }
  if (!found.distrust.empty()) {
    return fmt::format("{} {}; shown is what is on disk",
                       (found.directory / "coordinator.json").string(), found.distrust);
  }
  v1::ListRanksRequest request = request_for<v1::ListRanksRequest>(run.run());
  request.set_page_size(1);
  const v1::ListRanksResponse ranks = ask([&](auto& asked) { return asked.list_ranks(request); });
  const std::string host = ranks.ranks_size() > 0 ? ranks.ranks(0).info().host() : "";
  if (!host.empty() && host != host_name()) {
    return fmt::format("the run is on {}: ask there; shown is what is on disk", host);
  }
  return found.pid > 0 ? fmt::format("process {} is gone; shown is what it left on disk", found.pid)
                       : "nobody answers for this run any more; shown is what is on disk";
}

bool StatusSource::is_live() const {
  return std::holds_alternative<std::unique_ptr<dist::CoordinatorClient>>(asked_);
}

dist::CoordinatorClient& StatusSource::client() const {
  return *std::get<std::unique_ptr<dist::CoordinatorClient>>(asked_);
}

StatusReport StatusSource::headed(v1::Run run) const {
  return {.run = std::move(run), .from_database = !is_live(), .note = note_, .page = page_};
}

StatusReport StatusSource::brief(const std::string& run) const {
  return headed(
      ask([&](auto& asked) { return asked.get_run(request_for<v1::GetRunRequest>(run)); }));
}

StatusReport StatusSource::report(const std::string& run, const StatusParts& parts) const {
  return report(brief(run).run, parts);
}

StatusReport StatusSource::report(const v1::Run& run, const StatusParts& parts) const {
  StatusReport report = headed(run);
  ask([&](auto& asked) {
    auto events = request_for<v1::ListEventsRequest>(run.run());
    events.set_page_size(kEvents);
    const v1::ListEventsResponse answer = asked.list_events(events);
    report.events.assign(answer.events().begin(), answer.events().end());
    if (parts.ranks) {
      report.ranks = all_pages<v1::Rank>(request_for<v1::ListRanksRequest>(run.run()),
                                         [&](const auto& r) { return asked.list_ranks(r); });
    }
    if (parts.history) {
      report.epochs =
          all_pages<v1::EpochMetrics>(request_for<v1::ListEpochsRequest>(run.run()),
                                      [&](const auto& r) { return asked.list_epochs(r); });
      auto steps = request_for<v1::ListStepsRequest>(run.run());
      steps.set_max_points(kCurvePoints);
      report.steps =
          all_pages<v1::StepMetrics>(steps, [&](const auto& r) { return asked.list_steps(r); });
    }
  });
  return report;
}

std::vector<StatusReport> StatusSource::reports() const {
  v1::ListRunsRequest request;
  request.set_page_size(kRuns);
  const v1::ListRunsResponse answer = ask([&](auto& asked) { return asked.list_runs(request); });
  std::vector<StatusReport> reports;
  for (const v1::Run& run : answer.runs()) {
    reports.push_back(headed(run));
  }
  return reports;
}

}  // namespace convoy::launcher
