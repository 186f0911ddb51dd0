#include "launcher/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>

#include "core/base/check.h"
#include "launcher/file_descriptor.h"

namespace convoy::launcher {

void write_file(const std::filesystem::path& path, std::string_view bytes) {
  // Unique among threads and processes, so that two writers of one path don't meet.
  static std::atomic<int> count = 0;
  std::filesystem::path temporary = path;
  temporary.replace_filename(
      fmt::format(".{}.{}-{}.tmp", path.filename().string(), getpid(), ++count));

  FileDescriptor file(open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  check(static_cast<bool>(file), "cannot write {}: {}", path.string(), system_reason());
  // Synced before the rename: otherwise a crash may leave the new name on an empty file.
  if (!write_all(file, bytes) || fsync(file.get()) != 0 || !file.close() ||
      rename(temporary.c_str(), path.c_str()) != 0) {
    const std::string reason = system_reason();
    unlink(temporary.c_str());
    fail("cannot write {}: {}", path.string(), reason);
  }
}

}  // namespace convoy::launcher
