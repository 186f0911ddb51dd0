#include "dist/coordinator/worker/journal.h"

#include <array>
#include <cerrno>
#include <fstream>

#include "core/base/check.h"
#include "core/io/file.h"
#include "core/io/hash64.h"

namespace convoy::dist {
namespace {

constexpr std::size_t kHeadBytes = 4 + 8;

void add_number(std::string& bytes, std::uint64_t number, int size) {
  for (int i = 0; i < size; ++i) {
    bytes += static_cast<char>(number >> (8 * i) & 0xFFU);
  }
}

std::uint64_t read_number(std::span<const char> bytes) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    number |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  }
  return number;
}

std::string encode(std::span<const std::string> messages) {
  std::string bytes;
  for (const std::string& message : messages) {
    check(static_cast<std::int64_t>(message.size()) <= Journal::kMaxMessageBytes,
          "a report of {} bytes is too long for the journal", message.size());
    add_number(bytes, message.size(), 4);
    add_number(bytes, io::hash64(io::as_bytes(message)), 8);
    bytes += message;
  }
  return bytes;
}

// Returns how many bytes of the file are whole records.
std::int64_t read(const std::filesystem::path& path,
                  const std::function<void(std::string)>& found) {
  std::ifstream file(path, std::ios::binary);
  std::error_code error;
  const auto size = static_cast<std::int64_t>(std::filesystem::file_size(path, error));
  std::int64_t whole = 0;
  std::array<char, kHeadBytes> head = {};
  while (!error && file.read(head.data(), head.size())) {
    const auto length = static_cast<std::int64_t>(read_number(std::span(head).first(4)));
    const std::int64_t end = whole + static_cast<std::int64_t>(kHeadBytes) + length;
    if (length > Journal::kMaxMessageBytes || end > size) {
      break;
    }
    std::string message(static_cast<std::size_t>(length), '\0');
    if (!file.read(message.data(), length) ||
        io::hash64(io::as_bytes(message)) != read_number(std::span(head).subspan(4))) {
      break;
    }
    found(std::move(message));
    whole = end;
  }
  return whole;
}

}  // namespace

Journal::Journal(std::filesystem::path path, const std::function<void(std::string)>& found)
    : path_(std::move(path)), bytes_(read(path_, found)) {
  open();
  cut(bytes_);
}

void Journal::open() {
  file_.reset(std::fopen(path_.c_str(), "abe"));
  if (!file_) {
    io::fail_io("open", path_, errno);
  }
  // What fwrite has taken is the system's.
  std::setvbuf(file_.get(), nullptr, _IONBF, 0);
}

void Journal::cut(std::int64_t bytes) {
  std::error_code error;
  std::filesystem::resize_file(path_, static_cast<std::uintmax_t>(bytes), error);
  check(!error, "cannot shorten {}: {}", path_.string(), error.message());
  bytes_ = bytes;
}

void Journal::append(std::span<const std::string> messages) {
  const std::string bytes = encode(messages);
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) != bytes.size()) {
    const int error = errno;
    std::clearerr(file_.get());
    cut(bytes_);  // half a record would hide those to come
    io::fail_io("write", path_, error);
  }
  bytes_ += static_cast<std::int64_t>(bytes.size());
}

void Journal::rewrite(std::span<const std::string> messages) {
  if (messages.empty()) {
    cut(0);
    return;
  }
  const std::string bytes = encode(messages);
  io::write_file_atomically(path_, io::as_bytes(bytes));
  bytes_ = static_cast<std::int64_t>(bytes.size());
  open();
}

}  // namespace convoy::dist
