// Images that stay on disk and are read when a batch needs them.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "core/base/file_descriptor.h"

namespace convoy::data {

/// A part of an open file. Immutable, so threads may share it; the system keeps what is read often
/// in memory that it can take back. It goes on reading the file that was opened, even if another
/// takes its name.
class PixelFile {
 public:
  /// `bytes` from `begin` on; `name` is for messages.
  PixelFile(FileDescriptor file, std::string name, std::uint64_t begin, std::uint64_t bytes)
      : file_(std::move(file)), name_(std::move(name)), begin_(begin), bytes_(bytes) {}

  std::uint64_t bytes() const { return bytes_; }
  /// Fills `out` with the bytes from `first` on. Throws Error if the file has been cut short or the
  /// disk fails.
  void read(std::uint64_t first, std::span<std::uint8_t> out) const;

 private:
  FileDescriptor file_;
  std::string name_;
  std::uint64_t begin_;
  std::uint64_t bytes_;
};

}  // namespace convoy::data
