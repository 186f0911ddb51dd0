#include "dist/coordinator/book/run_book.h"

#include <algorithm>

#include "core/base/printable.h"
#include "dist/coordinator/base/refusal.h"
#include "dist/coordinator/book/page_token.h"
#include "dist/coordinator/book/validate.h"

namespace convoy::dist {
namespace {

constexpr std::chrono::minutes kRetentionInterval{1};

}  // namespace

RunBook::RunBook(const CoordinatorLimits& limits, SavedBook saved)
    : limits_(limits),
      events_(saved.last_event),
      forgotten_events_(std::max<std::int64_t>(saved.first_event - 1, 0)) {
  for (SavedRun& run : saved.runs) {
    last_run_id_ = std::max(last_run_id_, run.registration.run_id);
    last_registration_ = std::max(last_registration_, run.registration.registration);
    add(std::make_unique<RunEntry>(std::move(run), events_, limits_));
  }
}

RunEntry& RunBook::add(std::unique_ptr<RunEntry> entry) {
  RunEntry& added = *entry;
  by_registration_.emplace(added.registration(), &added);
  ranks_ += added.world_size();
  runs_.emplace(added.name(), std::move(entry));
  return added;
}

RunEntry& RunBook::find(const std::string& run) const {
  const auto found = runs_.find(run);
  if (found == runs_.end()) {
    refuse(Refusal::Kind::kNotFound, "no run {} is known here", printable(run));
  }
  return *found->second;
}

std::int64_t RunBook::run_id(const std::string& run) const {
  return find(run).id();
}

RunEntry& RunBook::changed(RunEntry& entry) {
  changed_.emplace(entry.id(), &entry);
  return entry;
}

template <typename Request>
RunEntry& RunBook::speaker(const Request& request, Time now) {
  RunEntry& entry = find(request.run());
  entry.check_generation(request.generation(), now);
  validate(request, entry.spec());
  return changed(entry);
}

v1::RegisterRunResponse RunBook::register_run(const v1::RegisterRunRequest& request, Time now,
                                              const History& history) {
  validate(request, limits_);
  const auto found = runs_.find(request.run());
  RunEntry* entry = found == runs_.end() ? nullptr : found->second.get();
  if (entry != nullptr && !entry->is_new(request, now)) {
    entry->register_again(request, now);
  } else {
    make_room(request, entry);
    if (entry == nullptr) {
      auto made = std::make_unique<RunEntry>(++last_run_id_, request.run(), events_, limits_);
      entry = made.get();
      entry->register_run(request, ++last_registration_, now, history);
      add(std::move(made));
    } else {
      by_registration_.erase(entry->registration());
      ranks_ -= entry->world_size();
      entry->register_run(request, ++last_registration_, now, history);
      ranks_ += entry->world_size();
      by_registration_.emplace(entry->registration(), entry);
    }
  }
  changed(*entry);
  v1::RegisterRunResponse response;
  response.set_acknowledged_sequence(entry->acknowledged(0));
  *response.mutable_heartbeat_interval() = to_message(entry->heartbeat_interval());
  return response;
}

// Forgets the oldest ended runs until one more has a place, or refuses.
void RunBook::make_room(const v1::RegisterRunRequest& request, const RunEntry* known) {
  const std::int64_t before = known == nullptr ? 0 : known->world_size();
  const auto is_full = [&] {
    return (known == nullptr && static_cast<std::int64_t>(runs_.size()) >= limits_.runs) ||
           ranks_ - before + request.spec().world_size() > limits_.ranks;
  };
  while (is_full()) {
    const auto oldest =
        std::find_if(by_registration_.rbegin(), by_registration_.rend(), [&](const auto& entry) {
          return entry.second != known && has_ended(entry.second->state());
        });
    if (oldest == by_registration_.rend()) {
      refuse(Refusal::Kind::kResourceExhausted,
             "there is no room for run '{}' with {} ranks beside {} runs with {} ranks that have "
             "not ended; at most {} runs and {} ranks are taken",
             request.run(), request.spec().world_size(), runs_.size(), ranks_, limits_.runs,
             limits_.ranks);
    }
    forget(*oldest->second);
  }
}

void RunBook::forget(RunEntry& entry) {
  changed_.erase(entry.id());
  by_registration_.erase(entry.registration());
  ranks_ -= entry.world_size();
  forgotten_runs_.emplace_back(entry.id(), entry.name());
  runs_.erase(forgotten_runs_.back().second);
}

v1::ReportProgressResponse RunBook::report_progress(const v1::ReportProgressRequest& request,
                                                    Time now) {
  RunEntry& entry = speaker(request, now);
  unsaved_rows_ += 1 + request.steps_size() + request.notes_size();
  entry.report_progress(request, now);
  v1::ReportProgressResponse response;
  response.set_acknowledged_sequence(entry.acknowledged(request.rank()));
  response.set_stop_requested(entry.stop_requested());
  return response;
}

v1::FinishEpochResponse RunBook::finish_epoch(const v1::FinishEpochRequest& request, Time now) {
  RunEntry& entry = speaker(request, now);
  entry.finish_epoch(request, now);
  v1::FinishEpochResponse response;
  response.set_acknowledged_sequence(entry.acknowledged(request.rank()));
  response.set_stop_requested(entry.stop_requested());
  return response;
}

v1::HeartbeatResponse RunBook::heartbeat(const v1::HeartbeatRequest& request, Time now) {
  RunEntry& entry = speaker(request, now);
  entry.heartbeat(request, now);
  v1::HeartbeatResponse response;
  response.set_acknowledged_sequence(entry.acknowledged(request.rank()));
  response.set_stop_requested(entry.stop_requested());
  *response.mutable_heartbeat_interval() = to_message(entry.heartbeat_interval());
  return response;
}

v1::FinishRunResponse RunBook::finish_run(const v1::FinishRunRequest& request, Time now) {
  RunEntry& entry = speaker(request, now);
  entry.finish_run(request, now);
  v1::FinishRunResponse response;
  response.set_acknowledged_sequence(entry.acknowledged(request.rank()));
  return response;
}

v1::Run RunBook::stop_run(const v1::StopRunRequest& request, Time now) {
  RunEntry& entry = find(request.run());
  validate(request);
  changed(entry).stop_run(request, now);
  return entry.run(now);
}

void RunBook::tick(Time now) {
  for (const auto& [name, entry] : runs_) {
    const v1::RunState before = entry->state();
    entry->tick(now);
    if (entry->state() != before) {
      changed(*entry);
    }
  }
  if (now - last_retention_ < kRetentionInterval) {
    return;
  }
  last_retention_ = now;
  std::vector<RunEntry*> old;
  for (const auto& [name, entry] : runs_) {
    if (has_ended(entry->state()) && entry->end_time() + limits_.keep_ended < now) {
      old.push_back(entry.get());
    }
  }
  for (RunEntry* entry : old) {
    forget(*entry);
  }
}

void RunBook::renew_leases(Time now) {
  for (const auto& [name, entry] : runs_) {
    entry->renew_lease(now);
  }
}

v1::Run RunBook::get_run(const v1::GetRunRequest& request, Time now) const {
  return find(request.run()).run(now);
}

v1::ListRunsResponse RunBook::list_runs(const v1::ListRunsRequest& request, Time now) const {
  const Page page = page_of(request, 50, 1000);
  v1::ListRunsResponse response;
  auto at = page.is_first ? by_registration_.begin() : by_registration_.upper_bound(page.after);
  std::int64_t last = 0;
  for (; at != by_registration_.end(); ++at) {
    const auto& [registration, entry] = *at;
    if (!request.states().empty() &&
        std::ranges::find(request.states(), entry->state()) == request.states().end()) {
      continue;
    }
    if (response.runs_size() == page.size) {
      response.set_next_page_token(make_page_token(question_of(request), last));
      break;
    }
    *response.add_runs() = entry->run(now);
    last = registration;
  }
  return response;
}

v1::ListRanksResponse RunBook::list_ranks(const v1::ListRanksRequest& request, Time now) const {
  const RunEntry& entry = find(request.run());
  const Page page = page_of(request, 1000, 10'000);
  v1::ListRanksResponse response;
  const std::int64_t first = page.is_first ? 0 : page.after + 1;
  const std::int64_t end = std::min(first + page.size, entry.world_size());
  for (std::int64_t rank = first; rank < end; ++rank) {
    *response.add_ranks() = entry.rank(static_cast<std::int32_t>(rank), now);
  }
  if (end < entry.world_size()) {
    response.set_next_page_token(make_page_token(question_of(request), end - 1));
  }
  return response;
}

bool RunBook::has_changes() const {
  return !changed_.empty() || !forgotten_runs_.empty() || events_.has_new();
}

Changes RunBook::take_changes(Time now) {
  Changes changes;
  for (const auto& [id, entry] : changed_) {
    entry->take_changes(changes, now);
  }
  changed_.clear();
  unsaved_rows_ = 0;
  changes.events = events_.take();
  changes.forgotten_runs = std::exchange(forgotten_runs_, {});
  const std::int64_t last = events_.last_sequence() - limits_.events;
  if (last > forgotten_events_ + limits_.events / 100) {
    forgotten_events_ = last;
    changes.forgotten_events = last;
  }
  return changes;
}

}  // namespace convoy::dist
