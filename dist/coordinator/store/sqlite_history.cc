// Store: questions about what was saved.
#include <algorithm>
#include <limits>

#include "dist/coordinator/base/refusal.h"
#include "dist/coordinator/book/page_token.h"
#include "dist/coordinator/store/sqlite_file.h"
#include "dist/coordinator/store/sqlite_store.h"

namespace convoy::dist {
namespace {

constexpr std::int64_t kDefaultPage = 1000;
constexpr std::int64_t kMaxPage = 10'000;

// How many neighbouring steps make a point.
std::int64_t stride_of(const Sqlite& database, const v1::ListStepsRequest& request,
                       std::int64_t run_id) {
  if (request.max_points() == 0) {
    return 1;
  }
  Statement range(database, "SELECT MIN(step), MAX(step) FROM steps WHERE run_id = ? AND step > ?");
  range.bind(run_id, request.after_step()).next();
  const std::int64_t steps = range.number(1) - range.number(0) + 1;
  return std::max<std::int64_t>((steps + request.max_points() - 1) / request.max_points(), 1);
}

}  // namespace

std::unique_ptr<Sqlite> ReaderPool::take() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      std::unique_ptr<Sqlite> connection = std::move(idle_.back());
      idle_.pop_back();
      return connection;
    }
  }
  return open_for_reading(file_);
}

void ReaderPool::give_back(std::unique_ptr<Sqlite> connection) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(connection));
}

Totals Store::totals(std::int64_t run_id, std::int64_t epoch, std::int64_t last_step) const {
  return impl_->readers.with([&](const Sqlite& database) {
    Statement sums(database,
                   "SELECT SUM(images), SUM(correct), TOTAL(loss_sum) FROM steps WHERE run_id = ? "
                   "AND epoch = ? AND step <= ?");
    sums.bind(run_id, epoch, last_step).next();
    return Totals{.images = sums.number(0), .correct = sums.number(1), .loss_sum = sums.real(2)};
  });
}

v1::ListStepsResponse Store::list_steps(const v1::ListStepsRequest& request,
                                        std::int64_t run_id) const {
  Page page = page_of(request, kDefaultPage, kMaxPage);
  if (request.max_points() < 0 || request.after_step() < 0) {
    refuse(Refusal::Kind::kInvalidArgument,
           "max_points is {} and after_step {}; they must not be negative", request.max_points(),
           request.after_step());
  }
  return impl_->readers.with([&](const Sqlite& database) {
    if (page.is_first) {
      page.after = request.after_step();
      page.stride = stride_of(database, request, run_id);
    }
    // With a lone MAX, SQLite takes the other columns from the row that has it.
    Statement steps(database,
                    page.stride == 1
                        ? "SELECT step, epoch, images, correct, loss_sum, learning_rate, "
                          "duration_ns, ranks FROM steps WHERE run_id = ?1 AND step > ?2 "
                          "ORDER BY step LIMIT ?4"
                        : "SELECT MAX(step), epoch, SUM(images), SUM(correct), TOTAL(loss_sum), "
                          "learning_rate, TOTAL(duration_ns), ranks FROM steps "
                          "WHERE run_id = ?1 AND step > ?2 GROUP BY (step - 1) / ?3 "
                          "ORDER BY 1 LIMIT ?4");
    v1::ListStepsResponse response;
    for (steps.bind(run_id, page.after, page.stride, page.size + 1); steps.next();) {
      if (response.steps_size() == page.size) {
        response.set_next_page_token(
            make_page_token(question_of(request), response.steps().rbegin()->step(), page.stride));
        break;
      }
      v1::StepMetrics& step = *response.add_steps();
      step.set_step(steps.number(0));
      step.set_epoch(steps.number(1));
      set_message(
          *step.mutable_sums(),
          {.images = steps.number(2), .correct = steps.number(3), .loss_sum = steps.real(4)});
      step.set_learning_rate(steps.real(5));
      *step.mutable_duration() = to_message(nanoseconds(steps.number(6)));
      step.set_ranks(static_cast<std::int32_t>(steps.number(7)));
    }
    return response;
  });
}

v1::ListEpochsResponse Store::list_epochs(const v1::ListEpochsRequest& request,
                                          std::int64_t run_id) const {
  const Page page = page_of(request, kDefaultPage, kMaxPage);
  return impl_->readers.with([&](const Sqlite& database) {
    Statement epochs(database,
                     "SELECT metrics FROM epochs WHERE run_id = ? AND epoch > ? AND finished = 1 "
                     "ORDER BY epoch LIMIT ?");
    v1::ListEpochsResponse response;
    for (epochs.bind(run_id, page.after, page.size + 1); epochs.next();) {
      if (response.epochs_size() == page.size) {
        response.set_next_page_token(
            make_page_token(question_of(request), response.epochs().rbegin()->epoch()));
        break;
      }
      check(response.add_epochs()->ParseFromString(epochs.text(0)),
            "'{}' is damaged: an epoch of run '{}' makes no sense", database.file().string(),
            request.run());
    }
    return response;
  });
}

v1::ListEventsResponse Store::list_events(const v1::ListEventsRequest& request) const {
  const Page page = page_of(request, 50, kDefaultPage);
  return impl_->readers.with([&](const Sqlite& database) {
    const std::string which = request.run().empty() ? "" : "run = ?3 AND ";
    Statement events(database, "SELECT sequence, time_ns, run, severity, text FROM events WHERE " +
                                   which + "sequence < ?1 ORDER BY sequence DESC LIMIT ?2");
    const std::int64_t before =
        page.is_first ? std::numeric_limits<std::int64_t>::max() : page.after;
    if (request.run().empty()) {
      events.bind(before, page.size + 1);
    } else {
      events.bind(before, page.size + 1, request.run());
    }
    v1::ListEventsResponse response;
    while (events.next()) {
      if (response.events_size() == page.size) {
        response.set_next_page_token(
            make_page_token(question_of(request), response.events().rbegin()->sequence()));
        break;
      }
      v1::Event& event = *response.add_events();
      event.set_sequence(events.number(0));
      *event.mutable_time() = to_message(from_epoch(nanoseconds(events.number(1))));
      event.set_run(events.text(2));
      event.set_severity(static_cast<v1::Severity>(events.number(3)));
      event.set_text(events.text(4));
    }
    return response;
  });
}

}  // namespace convoy::dist
