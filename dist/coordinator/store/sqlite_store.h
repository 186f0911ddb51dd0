// The parts of a Store: one connection that writes, and some that read; for sqlite_*.cc.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "dist/coordinator/book/records.h"
#include "dist/coordinator/store/sqlite.h"
#include "dist/coordinator/store/sqlite_file.h"
#include "dist/coordinator/store/store.h"

namespace convoy::dist {

/// Saves changes. One thread at a time.
class SqliteWriter {
 public:
  /// `database` must outlive this.
  explicit SqliteWriter(Sqlite& database);
  void save(const Changes& changes);

 private:
  void write(const Changes& changes);
  void write(const RegistrationRow& row);
  void write(const RunRow& row);
  void write(const RankRow& row);
  void write(const StepRow& row);
  void write(const EpochRow& row);
  void write(const v1::Event& event);
  void forget_run(std::int64_t run_id, const std::string& name);

  Sqlite& database_;
  Statement begin_, commit_, rollback_;
  Statement register_, keep_steps_, keep_epochs_, drop_ranks_, add_rank_;
  Statement run_, rank_, step_, epoch_, event_;
  Statement forget_steps_, forget_events_;
  Statement forget_run_, forget_all_steps_, forget_all_epochs_, forget_run_events_;
};

/// Loads what was saved. `database` is only used within.
SavedBook load_book(const Sqlite& database);

/// Connections for reading, as many as are used at a time. Thread safe.
class ReaderPool {
 public:
  explicit ReaderPool(std::filesystem::path file) : file_(std::move(file)) {}

  /// Returns read(const Sqlite&).
  template <typename Read>
  auto with(const Read& read) {
    std::unique_ptr<Sqlite> connection = take();
    auto result = read(static_cast<const Sqlite&>(*connection));
    give_back(std::move(connection));
    return result;
  }

 private:
  std::unique_ptr<Sqlite> take();
  void give_back(std::unique_ptr<Sqlite> connection);

  std::filesystem::path file_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Sqlite>> idle_;
};

struct Store::Impl {
  explicit Impl(const std::filesystem::path& file) : readers(file) {}

  std::optional<FileLock> lock = {};
  std::unique_ptr<Sqlite> database = {};  // none if read-only
  std::optional<SqliteWriter> writer = {};
  ReaderPool readers;
};

}  // namespace convoy::dist
