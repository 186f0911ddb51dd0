#include "dist/coordinator/store/sqlite_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "core/io/file.h"

namespace convoy::dist {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kApplicationId = 0x436e7679;  // "Cnvy"
constexpr std::int64_t kVersion = 1;
// Beyond, the check would take seconds; damage is then found where it is read.
constexpr std::int64_t kCheckedBytes = 256 << 20;

constexpr const char* kTables = R"sql(
CREATE TABLE runs(
  run_id INTEGER PRIMARY KEY,
  run TEXT NOT NULL UNIQUE,
  registration INTEGER NOT NULL,
  attempt TEXT NOT NULL,
  first_step INTEGER NOT NULL,
  lease_ns INTEGER NOT NULL,
  spec BLOB NOT NULL,                       -- RunSpec
  status BLOB,                              -- Run, without spec
  so_far BLOB,                              -- EpochMetrics: epoch and train
  lost BLOB,                                -- ReportProgressRequest: lost
  lost_before INTEGER NOT NULL DEFAULT 0,
  stop_requested INTEGER NOT NULL DEFAULT 0,
  skip_gap INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE ranks(
  run_id INTEGER NOT NULL,
  rank INTEGER NOT NULL,
  host TEXT NOT NULL,
  pid INTEGER NOT NULL,
  acknowledged INTEGER NOT NULL DEFAULT 0,
  step INTEGER NOT NULL DEFAULT 0,
  last_seen_ns INTEGER NOT NULL DEFAULT 0,  -- since 1970
  images_per_second REAL NOT NULL DEFAULT 0,
  computing_ns INTEGER NOT NULL DEFAULT 0,
  waiting_ns INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY(run_id, rank)
) STRICT, WITHOUT ROWID;
CREATE TABLE steps(
  run_id INTEGER NOT NULL,
  step INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  images INTEGER NOT NULL,
  correct INTEGER NOT NULL,
  loss_sum REAL NOT NULL,
  learning_rate REAL NOT NULL,
  duration_ns INTEGER NOT NULL,
  ranks INTEGER NOT NULL,                   -- how many have reported it
  reported BLOB,                            -- which, a bit each, as long as some have not
  PRIMARY KEY(run_id, step)
) STRICT, WITHOUT ROWID;
CREATE TABLE epochs(
  run_id INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  finished INTEGER NOT NULL,
  metrics BLOB NOT NULL,                    -- EpochMetrics
  PRIMARY KEY(run_id, epoch)
) STRICT, WITHOUT ROWID;
CREATE TABLE events(
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,  -- never again, though its event be forgotten
  time_ns INTEGER NOT NULL,                 -- since 1970
  run TEXT NOT NULL,
  severity INTEGER NOT NULL,
  text TEXT NOT NULL
) STRICT;
CREATE INDEX events_of_runs ON events(run, sequence);
)sql";

void make_tables(Sqlite& database) {
  database.run("BEGIN IMMEDIATE");
  database.run(kTables);
  database.run(fmt::format("PRAGMA application_id = {}", kApplicationId));
  database.run(fmt::format("PRAGMA user_version = {}", kVersion));
  database.run("COMMIT");
}

void check_version(Sqlite& database) {
  check(database.number("PRAGMA application_id") == kApplicationId,
        "'{}' is an SQLite database, but not a coordinator's. Give the name of another file",
        database.file().string());
  const std::int64_t version = database.number("PRAGMA user_version");
  check(version <= kVersion,
        "'{}' was written by a newer convoy: its format is {}, this program knows up to {}. Use "
        "the newer program",
        database.file().string(), version, kVersion);
}

void check_sound(Sqlite& database) {
  if (static_cast<std::int64_t>(fs::file_size(database.file())) > kCheckedBytes) {
    return;
  }
  const std::string verdict = database.text("PRAGMA quick_check(1)");
  check(verdict == "ok",
        "'{}' is damaged: {}. Move it away, or put a copy from before in its place",
        database.file().string(), verdict);
}

void make_if_missing(const fs::path& file) {
  if (FileDescriptor(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600))) {
    io::sync_directory(file.has_parent_path() ? file.parent_path() : ".");
  } else if (errno != EEXIST) {
    io::fail_io("make", file, errno);
  }
}

}  // namespace

FileLock::FileLock(const fs::path& file) {
  const fs::path lock = file.string() + ".lock";
  descriptor_ = FileDescriptor(::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!descriptor_) {
    io::fail_io("make", lock, errno);
  }
  std::array<char, 32> text = {};
  if (::flock(descriptor_.get(), LOCK_EX | LOCK_NB) != 0) {
    const ssize_t size = ::read(descriptor_.get(), text.data(), text.size() - 1);
    fail("'{}' is held by another coordinator, process {}. Stop that one, or use another directory",
         file.string(), size > 0 ? std::string_view(text.data()) : "unknown");
  }
  const std::string pid = fmt::format("{}", ::getpid());
  // Only for the text above.
  if (::ftruncate(descriptor_.get(), 0) != 0 ||
      ::write(descriptor_.get(), pid.data(), pid.size()) < 0) {
    return;
  }
}

std::unique_ptr<Sqlite> open_for_writing(const fs::path& file, bool sync) {
  make_if_missing(file);
  auto database = std::make_unique<Sqlite>(file, Sqlite::Mode::kReadWrite);
  const bool is_new = database->number("SELECT COUNT(*) FROM sqlite_master") == 0;
  if (!is_new) {
    check_version(*database);
    check_sound(*database);
  }
  check(database->text("PRAGMA journal_mode = WAL") == "wal",
        "'{}' cannot be kept with a write-ahead log; is it on a network file system?",
        file.string());
  database->run(sync ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
  database->run("PRAGMA wal_autocheckpoint = 4000");
  if (is_new) {
    make_tables(*database);
  }
  return database;
}

std::unique_ptr<Sqlite> open_for_reading(const fs::path& file) {
  check(fs::exists(file), "there is no '{}'", file.string());
  auto database = std::make_unique<Sqlite>(file, Sqlite::Mode::kReadOnly);
  check_version(*database);
  return database;
}

}  // namespace convoy::dist
