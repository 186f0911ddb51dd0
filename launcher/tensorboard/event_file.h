// A TensorBoard event file: records that are added to its end. What the events mean is elsewhere.
//
//   file   = record*                  the first one: {file_version: "brain.Event:2"}
//   record = length crc(length) event crc(event)
//   length = of event in bytes, unsigned 64-bit little-endian integer
//   event  = protobuf message (proto/convoy/v1/tensorboard.proto)
//   crc(x) = rotate_right(crc32c(x), 15) + 0xa282ead8, unsigned 32-bit little-endian integer
//
// TensorBoard takes all event files of a directory for one run and reads them in the order of their
// names; a record that is cut off ends a file.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <string>

#include "convoy/v1/tensorboard.pb.h"
#include "core/base/file_descriptor.h"

namespace convoy::launcher {

/// Not thread safe.
class EventFile {
 public:
  /// Makes `directory`/events.out.tfevents.SECONDS.HOST, whose name comes after those of all event
  /// files there, even if the clock was set back. Throws Error.
  explicit EventFile(const std::filesystem::path& directory,
                     std::chrono::system_clock::time_point now = std::chrono::system_clock::now());

  const std::filesystem::path& path() const { return path_; }

  /// Keeps the event in memory until the next flush(). Sets its wall_time.
  void add(v1::tensorboard::Event event);

  /// Hands all events to the system, so that readers see them and a kill does not lose them.
  /// Returns
  /// "" or, once, why that was not possible: the file then ends with its last whole record, and
  /// whatever is added later is dropped.
  std::string flush();

 private:
  std::filesystem::path path_;
  FileDescriptor file_;
  off_t length_ = 0;  // of whole records
  std::string pending_;
};

}  // namespace convoy::launcher
