// Ownership of a POSIX file descriptor, and writing to one without losing errors.
#pragma once

#include <string_view>
#include <utility>

namespace convoy {

/// Closes its descriptor; -1 is none.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int value) : value_(value) {}
  FileDescriptor(FileDescriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ~FileDescriptor() { close(); }

  int get() const { return value_; }
  /// Gives it away.
  int release() { return std::exchange(value_, -1); }
  explicit operator bool() const { return value_ >= 0; }
  /// False with errno if the system reports that data was lost (NFS, quota).
  bool close();

 private:
  int value_ = -1;
};

/// Both ends of a new pipe, which other programs do not inherit. Throws Error.
struct Pipe {
  Pipe();
  FileDescriptor read;
  FileDescriptor write;
};

/// Writes all of `bytes`, or returns false with errno.
bool write_all(const FileDescriptor& file, std::string_view bytes);

/// The text of errno: "No space left on device".
std::string system_reason();

}  // namespace convoy
