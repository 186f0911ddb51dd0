#include "dist/coordinator/store/sqlite.h"

namespace convoy::dist {
namespace {

std::string_view advice(int code) {
  switch (code & 0xFF) {
    case SQLITE_CORRUPT:
      return ". The file is damaged: move it away, or put a copy from before in its place";
    case SQLITE_NOTADB:
      return ". Give the name of another file";
    case SQLITE_FULL:
      return ". Free space on that disk";
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
      return ". Check the path, and the permissions of the file and of its directory";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ". Another program holds it";
    default:
      return "";
  }
}

constexpr int kBusyMilliseconds = 5000;

}  // namespace

Sqlite::Sqlite(const std::filesystem::path& file, Mode mode) : file_(file) {
  sqlite3* handle = nullptr;
  const int flags = mode == Mode::kReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  const int code = sqlite3_open_v2(file.c_str(), &handle, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  handle_.reset(handle);
  if (code != SQLITE_OK) {
    fail("open", code);
  }
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, kBusyMilliseconds);
}

void Sqlite::fail(std::string_view verb, int code) const {
  const char* const text =
      handle_ != nullptr ? sqlite3_errmsg(handle_.get()) : sqlite3_errstr(code);
  throw SqliteError(fmt::format("cannot {} '{}': {}{}", verb, file_.string(), text, advice(code)),
                    code);
}

void Sqlite::run(const std::string& sql) {
  if (const int code = sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr);
      code != SQLITE_OK) {
    fail("use", code);
  }
}

std::int64_t Sqlite::number(const std::string& sql) {
  Statement statement(*this, sql);
  return statement.next() ? statement.number(0) : 0;
}

std::string Sqlite::text(const std::string& sql) {
  Statement statement(*this, sql);
  return statement.next() ? statement.text(0) : "";
}

Statement::Statement(const Sqlite& database, std::string_view sql) : database_(database) {
  sqlite3_stmt* handle = nullptr;
  const int code = sqlite3_prepare_v3(database.handle(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &handle, nullptr);
  if (code != SQLITE_OK) {
    database.fail("read", code);
  }
  handle_.reset(handle);
}

// What it returns is the error of the last step, which was thrown then.
void Statement::reset() {
  sqlite3_reset(handle_.get());
}

bool Statement::next() {
  const int code = sqlite3_step(handle_.get());
  if (code == SQLITE_ROW) {
    return true;
  }
  if (code != SQLITE_DONE) {
    const bool writes = sqlite3_stmt_readonly(handle_.get()) == 0;
    // The text is taken first, for a reset may change it.
    try {
      database_.fail(writes ? "write to" : "read", code);
    } catch (...) {
      reset();
      throw;
    }
  }
  reset();
  return false;
}

void Statement::run() {
  next();
}

std::string Statement::text(int column) const {
  const auto* const bytes = static_cast<const char*>(sqlite3_column_blob(handle_.get(), column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column));
  return bytes == nullptr ? std::string() : std::string(bytes, size);
}

void Statement::check_bound(int code) const {
  if (code != SQLITE_OK) {
    database_.fail("use", code);
  }
}

void Statement::bind_one(int index, std::int64_t value) {
  check_bound(sqlite3_bind_int64(handle_.get(), index, value));
}

void Statement::bind_one(int index, double value) {
  check_bound(sqlite3_bind_double(handle_.get(), index, value));
}

void Statement::bind_one(int index, std::string_view text) {
  check_bound(sqlite3_bind_text64(handle_.get(), index, text.data(), text.size(), SQLITE_STATIC,
                                  SQLITE_UTF8));
}

void Statement::bind_one(int index, Blob blob) {
  check_bound(blob.bytes.empty() ? sqlite3_bind_null(handle_.get(), index)
                                 : sqlite3_bind_blob64(handle_.get(), index, blob.bytes.data(),
                                                       blob.bytes.size(), SQLITE_STATIC));
}

}  // namespace convoy::dist
