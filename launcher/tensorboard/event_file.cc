#include "launcher/tensorboard/event_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <string_view>

#include "core/base/check.h"
#include "core/base/host_name.h"
#include "core/io/crc32c.h"
#include "core/io/file.h"

namespace convoy::launcher {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "events.out.tfevents.";

double seconds_of(std::chrono::system_clock::time_point time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

// The time in the name of the newest event file there is; 0 without one.
std::int64_t newest_stamp(const fs::path& directory) {
  std::int64_t newest = 0;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    const std::string name = entry.path().filename().string();
    std::int64_t stamp = 0;
    if (name.starts_with(kPrefix)) {
      std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), stamp);
    }
    newest = std::max(newest, stamp);
  }
  return newest;
}

template <typename Integer>
void append_little_endian(std::string& bytes, Integer value) {
  static_assert(std::endian::native == std::endian::little);
  std::array<char, sizeof(Integer)> raw{};
  std::memcpy(raw.data(), &value, sizeof value);
  bytes.append(raw.data(), raw.size());
}

void append_crc(std::string& bytes, std::string_view of) {
  append_little_endian(bytes, std::rotr(io::crc32c(io::as_bytes(of)), 15) + 0xa282ead8U);
}

void append_record(std::string& bytes, const std::string& event) {
  std::string length;
  append_little_endian(length, static_cast<std::uint64_t>(event.size()));
  bytes += length;
  append_crc(bytes, length);
  bytes += event;
  append_crc(bytes, event);
}

}  // namespace

EventFile::EventFile(const fs::path& directory, std::chrono::system_clock::time_point now) {
  const std::int64_t stamp =
      std::max(static_cast<std::int64_t>(seconds_of(now)), newest_stamp(directory) + 1);
  path_ = directory / fmt::format("{}{:010}.{}", kPrefix, stamp, host_name());
  file_ = FileDescriptor(open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  check(static_cast<bool>(file_), "cannot create {}: {}", path_.string(), system_reason());
  v1::tensorboard::Event version;
  version.set_file_version("brain.Event:2");
  add(std::move(version));
}

void EventFile::add(v1::tensorboard::Event event) {
  if (file_) {
    event.set_wall_time(seconds_of(std::chrono::system_clock::now()));
    append_record(pending_, event.SerializeAsString());
  }
}

std::string EventFile::flush() {
  if (!file_) {
    return "";
  }
  if (!write_all(file_, pending_)) {
    const std::string reason = system_reason();
    const bool whole = ftruncate(file_.get(), length_) == 0;
    file_.close();
    pending_.clear();
    return fmt::format("{}: {}{}", path_.string(), reason,
                       whole ? "" : " (its last record is torn)");
  }
  length_ += static_cast<off_t>(pending_.size());
  pending_.clear();
  return "";
}

}  // namespace convoy::launcher
