// The file of a Store: that it is the right one, sound, of this version, and nobody else's.
#pragma once

#include <filesystem>
#include <memory>

#include "core/base/file_descriptor.h"
#include "dist/coordinator/store/sqlite.h"

namespace convoy::dist {

/// Held as long as this lives, or until the process ends in any way; by the file FILE.lock.
class FileLock {
 public:
  /// Throws Error, with the other's process id, if another holds it.
  explicit FileLock(const std::filesystem::path& file);

 private:
  FileDescriptor descriptor_;
};

/// Opens for writing; makes the file and its tables where there are none, readable to its owner
/// alone. `sync`: see Store::Options. Throws Error.
std::unique_ptr<Sqlite> open_for_writing(const std::filesystem::path& file, bool sync);
/// Opens for reading. Throws Error.
std::unique_ptr<Sqlite> open_for_reading(const std::filesystem::path& file);

}  // namespace convoy::dist
