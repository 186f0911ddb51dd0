#include "dist/coordinator/store/sqlite_store.h"

#include "convoy/v1/coordinator.pb.h"

namespace convoy::dist {

SqliteWriter::SqliteWriter(Sqlite& database)
    : database_(database),
      begin_(database, "BEGIN IMMEDIATE"),
      commit_(database, "COMMIT"),
      rollback_(database, "ROLLBACK"),
      register_(database,
                "INSERT INTO runs(run_id, run, registration, attempt, first_step, lease_ns, spec) "
                "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT(run_id) DO UPDATE SET "
                "registration = ?3, attempt = ?4, first_step = ?5, lease_ns = ?6, spec = ?7"),
      keep_steps_(database, "DELETE FROM steps WHERE run_id = ? AND step > ?"),
      keep_epochs_(database,
                   "DELETE FROM epochs WHERE run_id = ?1 AND (epoch > ?2 OR finished = 0)"),
      drop_ranks_(database, "DELETE FROM ranks WHERE run_id = ?"),
      add_rank_(database, "INSERT INTO ranks(run_id, rank, host, pid) VALUES(?, ?, ?, ?)"),
      run_(database,
           "UPDATE runs SET status = ?2, so_far = ?3, lost = ?4, lost_before = ?5, "
           "stop_requested = ?6, skip_gap = ?7 WHERE run_id = ?1"),
      rank_(database,
            "UPDATE ranks SET acknowledged = ?3, step = ?4, last_seen_ns = ?5, "
            "images_per_second = ?6, computing_ns = ?7, waiting_ns = ?8 "
            "WHERE run_id = ?1 AND rank = ?2"),
      step_(database,
            "INSERT OR REPLACE INTO steps(run_id, step, epoch, images, correct, loss_sum, "
            "learning_rate, duration_ns, ranks, reported) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
      epoch_(database,
             "INSERT OR REPLACE INTO epochs(run_id, epoch, finished, metrics) VALUES(?, ?, ?, ?)"),
      event_(database,
             "INSERT INTO events(sequence, time_ns, run, severity, text) VALUES(?, ?, ?, ?, ?)"),
      forget_steps_(database, "DELETE FROM steps WHERE run_id = ? AND step <= ?"),
      forget_events_(database, "DELETE FROM events WHERE sequence <= ?"),
      forget_run_(database, "DELETE FROM runs WHERE run_id = ?"),
      forget_all_steps_(database, "DELETE FROM steps WHERE run_id = ?"),
      forget_all_epochs_(database, "DELETE FROM epochs WHERE run_id = ?"),
      forget_run_events_(database, "DELETE FROM events WHERE run = ?") {}

void SqliteWriter::save(const Changes& changes) {
  if (changes.empty()) {
    return;
  }
  begin_.bind().run();
  try {
    write(changes);
    commit_.bind().run();
  } catch (...) {
    // SQLite may have rolled back by itself.
    if (database_.in_transaction()) {
      try {
        rollback_.bind().run();
      } catch (const Error&) {  // the first error is the one to tell
      }
    }
    throw;
  }
}

// Runs are forgotten first: one that was registered since may have the name of a forgotten one.
void SqliteWriter::write(const Changes& changes) {
  for (const auto& [run_id, name] : changes.forgotten_runs) {
    forget_run(run_id, name);
  }
  const auto write_all = [this](const auto& rows) {
    for (const auto& row : rows) {
      write(row);
    }
  };
  write_all(changes.registrations);
  write_all(changes.runs);
  write_all(changes.ranks);
  write_all(changes.steps);
  write_all(changes.epochs);
  write_all(changes.events);
  for (const auto& [run_id, step] : changes.forgotten_steps) {
    forget_steps_.bind(run_id, step).run();
  }
  if (changes.forgotten_events > 0) {
    forget_events_.bind(changes.forgotten_events).run();
  }
}

void SqliteWriter::write(const RegistrationRow& row) {
  const std::string spec = row.spec.SerializeAsString();
  register_
      .bind(row.run_id, row.name, row.registration, row.attempt, row.first_step, row.lease.count(),
            Statement::Blob{spec})
      .run();
  keep_steps_.bind(row.run_id, row.first_step).run();
  keep_epochs_.bind(row.run_id, row.last_epoch).run();
  drop_ranks_.bind(row.run_id).run();
  for (const v1::RankInfo& rank : row.ranks) {
    add_rank_.bind(row.run_id, rank.rank(), rank.host(), rank.pid()).run();
  }
}

void SqliteWriter::write(const RunRow& row) {
  v1::ReportProgressRequest lost;
  for (const auto& [first, last] : row.lost) {
    v1::StepRange& range = *lost.add_lost();
    range.set_first(first);
    range.set_last(last);
  }
  const std::string status = row.status.SerializeAsString();
  const std::string so_far = row.so_far.SerializeAsString();
  const std::string ranges = lost.SerializeAsString();
  run_.bind(row.run_id, Statement::Blob{status}, Statement::Blob{so_far}, Statement::Blob{ranges},
            row.lost_before, row.stop_requested, row.skip_gap)
      .run();
}

void SqliteWriter::write(const RankRow& row) {
  rank_
      .bind(row.run_id, row.rank, row.acknowledged, row.step, since_epoch(row.last_seen).count(),
            row.images_per_second, row.computing.count(), row.waiting.count())
      .run();
}

void SqliteWriter::write(const StepRow& row) {
  step_
      .bind(row.run_id, row.step, row.epoch, row.sums.images, row.sums.correct, row.sums.loss_sum,
            row.learning_rate, row.duration.count(), row.ranks, Statement::Blob{row.reported})
      .run();
}

void SqliteWriter::write(const EpochRow& row) {
  const std::string metrics = row.metrics.SerializeAsString();
  epoch_.bind(row.run_id, row.metrics.epoch(), row.finished, Statement::Blob{metrics}).run();
}

void SqliteWriter::write(const v1::Event& event) {
  event_
      .bind(event.sequence(), since_epoch(from_message(event.time())).count(), event.run(),
            static_cast<std::int64_t>(event.severity()), event.text())
      .run();
}

void SqliteWriter::forget_run(std::int64_t run_id, const std::string& name) {
  forget_run_.bind(run_id).run();
  drop_ranks_.bind(run_id).run();
  forget_all_steps_.bind(run_id).run();
  forget_all_epochs_.bind(run_id).run();
  forget_run_events_.bind(name).run();
}

}  // namespace convoy::dist
