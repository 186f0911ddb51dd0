// Reads bytes one after the other, from a file on disk or in memory, gzipped or not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/base/file_descriptor.h"

namespace convoy::data {

/// Gives a file's bytes in order, straight into place; what begins with gzip's magic 1f 8b (RFC
/// 1952) is unpacked on the way, never as a whole, so nothing is allocated for what a file merely
/// claims.
class ByteSource {
 public:
  /// The content of a file that is in memory; borrowed. `name` is for messages.
  ByteSource(std::span<const std::uint8_t> file, std::string name);
  /// Opens a regular file of at most `max_bytes`. Throws Error if it is none.
  ByteSource(const std::filesystem::path& path, std::uint64_t max_bytes);
  ~ByteSource();
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  /// Fills `out` and returns how many bytes that took; fewer than asked for only at the end.
  /// Throws Error, with the offset, if gzip data is damaged or cut off, or the disk fails.
  std::size_t read(std::span<std::uint8_t> out);

  /// No more bytes than this can follow, unless the file grows: exact for a plain file; for a
  /// gzipped one what deflate can unpack to at most.
  std::uint64_t at_most() const;
  bool gzipped() const { return gzip_ != nullptr; }
  /// Gives away the open file, for reading elsewhere; none if the content is in memory.
  FileDescriptor release() { return std::move(file_); }

 private:
  struct Gzip;
  void begin();
  void refill();
  std::size_t read_file(std::span<std::uint8_t> out);
  std::size_t inflate_into(std::span<std::uint8_t> out);
  std::uint64_t offset() const { return got_ - ready_.size(); }

  std::string name_;
  FileDescriptor file_;                  // none if the content is in memory
  std::uint64_t bytes_ = 0;              // of the file
  std::uint64_t got_ = 0;                // of them, those in ready_ included
  std::vector<std::uint8_t> buffer_;     // a piece of a file on disk
  std::span<const std::uint8_t> ready_;  // what was got and not used yet
  std::unique_ptr<Gzip> gzip_;
};

}  // namespace convoy::data
