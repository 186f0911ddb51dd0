#include <algorithm>

#include "convoy/v1/coordinator.pb.h"
#include "dist/coordinator/book/speed.h"
#include "dist/coordinator/store/sqlite_store.h"

namespace convoy::dist {
namespace {

[[noreturn]] void fail_damaged(const Sqlite& database, const std::string& run) {
  fail(
      "'{}' is damaged: what it holds of run '{}' makes no sense. Move it away, or put a copy from "
      "before in its place",
      database.file().string(), run);
}

StepRow step_of(const Statement& row, std::int64_t run_id) {
  return {.run_id = run_id,
          .step = row.number(0),
          .epoch = row.number(1),
          .sums = {.images = row.number(2), .correct = row.number(3), .loss_sum = row.real(4)},
          .learning_rate = row.real(5),
          .duration = nanoseconds(row.number(6)),
          .ranks = static_cast<std::int32_t>(row.number(7)),
          .reported = row.text(8)};
}

class Loader {
 public:
  explicit Loader(const Sqlite& database)
      : database_(database),
        runs_(database,
              "SELECT run_id, run, registration, attempt, first_step, lease_ns, spec, status, "
              "so_far, lost, lost_before, stop_requested, skip_gap FROM runs"),
        ranks_(database,
               "SELECT rank, host, pid, acknowledged, step, last_seen_ns, images_per_second, "
               "computing_ns, waiting_ns FROM ranks WHERE run_id = ? ORDER BY rank"),
        open_steps_(database,
                    "SELECT step, epoch, images, correct, loss_sum, learning_rate, duration_ns, "
                    "ranks, reported FROM steps WHERE run_id = ? AND step > ? ORDER BY step"),
        last_steps_(database,
                    "SELECT step, epoch, images, correct, loss_sum, learning_rate, duration_ns, "
                    "ranks, NULL FROM steps WHERE run_id = ? AND step > ? AND step <= ? "
                    "ORDER BY step DESC LIMIT ?"),
        epochs_(database,
                "SELECT epoch, finished, metrics FROM epochs WHERE run_id = ? AND (epoch >= ? OR "
                "finished = 0) ORDER BY epoch") {}

  std::vector<SavedRun> load() {
    std::vector<SavedRun> runs;
    while (runs_.next()) {
      runs.push_back(load_run());
    }
    return runs;
  }

 private:
  SavedRun load_run() {
    SavedRun saved;
    RegistrationRow& registration = saved.registration;
    registration.run_id = runs_.number(0);
    registration.name = runs_.text(1);
    registration.registration = runs_.number(2);
    registration.attempt = runs_.text(3);
    registration.first_step = runs_.number(4);
    registration.lease = nanoseconds(runs_.number(5));
    RunRow& run = saved.run;
    run.run_id = registration.run_id;
    run.name = registration.name;
    v1::ReportProgressRequest lost;
    bool good = registration.spec.ParseFromString(runs_.text(6)) &&
                run.status.ParseFromString(runs_.text(7)) &&
                run.so_far.ParseFromString(runs_.text(8)) && lost.ParseFromString(runs_.text(9));
    for (const v1::StepRange& range : lost.lost()) {
      run.lost.emplace_back(range.first(), range.last());
    }
    run.lost_before = runs_.number(10);
    run.stop_requested = runs_.number(11) != 0;
    run.skip_gap = runs_.number(12) != 0;
    load_ranks(saved);
    good = good && run.status.run() == registration.name && !saved.ranks.empty() &&
           static_cast<std::int64_t>(saved.ranks.size()) == registration.spec.world_size() &&
           saved.ranks.back().rank == registration.spec.world_size() - 1;
    if (!good) {
      fail_damaged(database_, registration.name);
    }
    load_steps(saved);
    load_epochs(saved);
    return saved;
  }

  void load_ranks(SavedRun& saved) {
    for (ranks_.bind(saved.run.run_id); ranks_.next();) {
      saved.ranks.push_back({.run_id = saved.run.run_id,
                             .rank = static_cast<std::int32_t>(ranks_.number(0)),
                             .acknowledged = ranks_.number(3),
                             .step = ranks_.number(4),
                             .last_seen = from_epoch(nanoseconds(ranks_.number(5))),
                             .images_per_second = ranks_.real(6),
                             .computing = nanoseconds(ranks_.number(7)),
                             .waiting = nanoseconds(ranks_.number(8))});
      v1::RankInfo& info = saved.registration.ranks.emplace_back();
      info.set_rank(static_cast<std::int32_t>(ranks_.number(0)));
      info.set_host(ranks_.text(1));
      info.set_pid(ranks_.number(2));
    }
  }

  void load_steps(SavedRun& saved) {
    const std::int64_t run_id = saved.run.run_id;
    const std::int64_t closed = saved.run.status.step();
    for (open_steps_.bind(run_id, closed); open_steps_.next();) {
      saved.open_steps.push_back(step_of(open_steps_, run_id));
    }
    const std::int64_t begin = saved.registration.first_step;
    for (last_steps_.bind(run_id, begin, closed, kSpeedWindow); last_steps_.next();) {
      saved.last_steps.push_back(step_of(last_steps_, run_id));
    }
    std::ranges::reverse(saved.last_steps);
  }

  void load_epochs(SavedRun& saved) {
    for (epochs_.bind(saved.run.run_id, saved.run.so_far.epoch()); epochs_.next();) {
      EpochRow& row = saved.epochs.emplace_back();
      row.run_id = saved.run.run_id;
      row.finished = epochs_.number(1) != 0;
      if (!row.metrics.ParseFromString(epochs_.text(2)) ||
          row.metrics.epoch() != epochs_.number(0)) {
        fail_damaged(database_, saved.run.name);
      }
    }
  }

  const Sqlite& database_;
  Statement runs_, ranks_, open_steps_, last_steps_, epochs_;
};

}  // namespace

SavedBook load_book(const Sqlite& database) {
  SavedBook book;
  book.runs = Loader(database).load();
  Statement events(database,
                   "SELECT (SELECT MIN(sequence) FROM events), "
                   "(SELECT seq FROM sqlite_sequence WHERE name = 'events')");
  if (events.next()) {
    book.first_event = events.number(0);
    book.last_event = events.number(1);
  }
  return book;
}

}  // namespace convoy::dist
