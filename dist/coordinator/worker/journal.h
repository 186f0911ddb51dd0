// A worker's file of messages that the coordinator has not taken yet. Its format is described in
// proto/convoy/v1/journal.proto; what the messages mean is dist/coordinator/worker/outbox.h's.
#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>

namespace convoy::dist {

/// Survives the death of the process at any moment, not that of the machine: nothing here waits for
/// the disk. Not thread safe; no other process may write the file.
class Journal {
 public:
  static constexpr std::int64_t kMaxMessageBytes = 8 << 20;

  /// Opens or makes the file and calls `found` with each message that is there, in order. What
  /// follows a record that is not whole is cut off. Throws Error.
  Journal(std::filesystem::path path, const std::function<void(std::string)>& found);

  /// All of them or, throwing Error, none.
  void append(std::span<const std::string> messages);
  /// Makes these the whole journal, in one instant. Throws Error.
  void rewrite(std::span<const std::string> messages);

  std::int64_t bytes() const { return bytes_; }
  const std::filesystem::path& path() const { return path_; }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  void open();
  void cut(std::int64_t bytes);

  std::filesystem::path path_;
  std::unique_ptr<std::FILE, Close> file_;
  std::int64_t bytes_ = 0;
};

}  // namespace convoy::dist
