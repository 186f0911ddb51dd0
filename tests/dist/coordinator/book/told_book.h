// A RunBook with a clock that tests move, and a memory of what it said to save.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "dist/coordinator/book/run_book.h"
#include "tests/dist/coordinator/book/requests.h"

namespace convoy::testing {

class ToldBook {
 public:
  explicit ToldBook(const dist::CoordinatorLimits& limits = {}) : book(limits) {}

  v1::RegisterRunResponse tell(const v1::RegisterRunRequest& request) {
    keep();
    return book.register_run(request, now,
                             [this](std::int64_t run, std::int64_t epoch, std::int64_t last) {
                               dist::Totals totals;
                               for (const auto& [key, row] : steps) {
                                 if (key.first == run && row.epoch == epoch && row.step <= last) {
                                   totals += row.sums;
                                 }
                               }
                               return totals;
                             });
  }
  v1::ReportProgressResponse tell(const v1::ReportProgressRequest& request) {
    return book.report_progress(request, now);
  }
  v1::FinishEpochResponse tell(const v1::FinishEpochRequest& request) {
    return book.finish_epoch(request, now);
  }
  v1::HeartbeatResponse tell(const v1::HeartbeatRequest& request) {
    return book.heartbeat(request, now);
  }
  v1::FinishRunResponse tell(const v1::FinishRunRequest& request) {
    return book.finish_run(request, now);
  }
  v1::Run stop(const std::string& reason) {
    v1::StopRunRequest request;
    request.set_run("night-run");
    request.set_reason(reason);
    return book.stop_run(request, now);
  }
  v1::Run run() const { return book.get_run(get_run(), now); }

  void pass(std::chrono::milliseconds time) {
    now += time;
    book.tick(now);
  }

  /// Does what a store would.
  void keep() {
    dist::Changes changes = book.take_changes(now);
    for (const auto& row : changes.registrations) {
      std::erase_if(steps, [&](const auto& step) {
        return step.first.first == row.run_id && step.first.second > row.first_step;
      });
      std::erase_if(epochs, [&](const auto& epoch) {
        return epoch.first.first == row.run_id &&
               (epoch.first.second > row.last_epoch || !epoch.second.finished);
      });
    }
    for (auto& row : changes.steps) {
      steps[{row.run_id, row.step}] = row;
    }
    for (auto& row : changes.epochs) {
      epochs[{row.run_id, row.metrics.epoch()}] = row;
    }
    for (const auto& [run, last] : changes.forgotten_steps) {
      std::erase_if(steps, [&, run = run, last = last](const auto& step) {
        return step.first.first == run && step.first.second <= last;
      });
    }
    for (const auto& [run, name] : changes.forgotten_runs) {
      forgotten.push_back(name);
    }
    for (const v1::Event& event : changes.events) {
      events.push_back(event.text());
    }
    std::erase_if(events, [&](const std::string& text) { return text.empty(); });
  }

  bool has_event(const std::string& part) {
    keep();
    for (const std::string& text : events) {
      if (text.find(part) != std::string::npos) {
        return true;
      }
    }
    return false;
  }

  dist::Time now = dist::from_epoch(std::chrono::hours(24 * 365 * 56));
  dist::RunBook book;
  std::map<std::pair<std::int64_t, std::int64_t>, dist::StepRow> steps = {};
  std::map<std::pair<std::int64_t, std::int64_t>, dist::EpochRow> epochs = {};
  std::vector<std::string> events = {};
  std::vector<std::string> forgotten = {};
};

}  // namespace convoy::testing
