// SQLite with C++'s manners: errors are thrown, handles are closed, columns have types.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/check.h"

namespace convoy::dist {

/// What SQLite said, with the file's name, a likely cause and what to do.
class SqliteError : public Error {
 public:
  SqliteError(const std::string& text, int code) : Error(text), code_(code) {}
  int code() const { return code_; }

 private:
  int code_;
};

/// A connection. One thread at a time.
class Sqlite {
 public:
  enum class Mode { kReadOnly, kReadWrite };

  /// The file must exist. Throws SqliteError.
  Sqlite(const std::filesystem::path& file, Mode mode);

  /// Runs statements that have no parameters and whose rows nobody wants.
  void run(const std::string& sql);
  /// The first column of the first row.
  std::int64_t number(const std::string& sql);
  std::string text(const std::string& sql);
  /// Whether a transaction is under way.
  bool in_transaction() const { return sqlite3_get_autocommit(handle_.get()) == 0; }

  const std::filesystem::path& file() const { return file_; }
  sqlite3* handle() const { return handle_.get(); }
  [[noreturn]] void fail(std::string_view verb, int code) const;

 private:
  struct Close {
    void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
  };
  std::filesystem::path file_;
  std::unique_ptr<sqlite3, Close> handle_;
};

/// A prepared statement, for any number of uses:
///   insert.bind(1, "two", 3.0).run();
///   for (select.bind(7); select.next();) { use(select.number(0), select.text(1)); }
/// The Sqlite must outlive it. Text and bytes that are bound must last until the next use.
class Statement {
 public:
  /// Is bound as BLOB, NULL if empty.
  struct Blob {
    std::string_view bytes;
  };

  Statement(const Sqlite& database, std::string_view sql);

  /// Sets all parameters, and begins anew.
  template <typename... Values>
  Statement& bind(const Values&... values) {
    reset();
    int index = 0;
    (bind_one(++index, values), ...);
    return *this;
  }
  /// For statements that give no rows.
  void run();
  /// Moves to the next row; false after the last.
  bool next();

  std::int64_t number(int column) const { return sqlite3_column_int64(handle_.get(), column); }
  double real(int column) const { return sqlite3_column_double(handle_.get(), column); }
  std::string text(int column) const;
  bool is_null(int column) const {
    return sqlite3_column_type(handle_.get(), column) == SQLITE_NULL;
  }

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* handle) const { sqlite3_finalize(handle); }
  };
  void reset();
  void bind_one(int index, std::int64_t value);
  void bind_one(int index, std::int32_t value) {
    bind_one(index, static_cast<std::int64_t>(value));
  }
  void bind_one(int index, bool value) { bind_one(index, std::int64_t{value}); }
  void bind_one(int index, double value);
  void bind_one(int index, std::string_view text);
  void bind_one(int index, const std::string& text) { bind_one(index, std::string_view(text)); }
  void bind_one(int index, Blob blob);
  void check_bound(int code) const;

  const Sqlite& database_;
  std::unique_ptr<sqlite3_stmt, Finalize> handle_;
};

}  // namespace convoy::dist
