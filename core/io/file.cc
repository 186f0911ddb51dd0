#include "core/io/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include "core/base/check.h"
#include "core/base/file_descriptor.h"

namespace convoy::io {
namespace {

namespace fs = std::filesystem;

FileDescriptor open_file(const fs::path& path, int flags, unsigned mode = 0) {
  return FileDescriptor(::open(path.c_str(), flags | O_CLOEXEC, mode));
}

std::string_view advice(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return " Free space there or write elsewhere; what was there before is unchanged.";
    case EACCES:
    case EPERM:
    case EROFS:
      return " Check the permissions or choose another place.";
    case ENOENT:
    case ENOTDIR:
      return " Check the spelling of the path.";
    default:
      return "";
  }
}

fs::path parent_of(const fs::path& path) {
  const fs::path parent = path.parent_path();
  return parent.empty() ? fs::path(".") : parent;
}

fs::path temporary_beside(const fs::path& path) {
  static std::atomic<unsigned> count = 0;
  return parent_of(path) /
         fmt::format(".{}.{}-{}.tmp", path.filename().string(), ::getpid(), count++);
}

// Gives an errno value, 0 for success.
int create_file(const fs::path& path, std::span<const std::byte> bytes, unsigned mode) {
  FileDescriptor file = open_file(path, O_WRONLY | O_CREAT | O_EXCL, mode);
  if (!file) {
    return errno;
  }
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  int error = write_all(file, text) && ::fsync(file.get()) == 0 ? 0 : errno;
  if (!file.close() && error == 0) {
    error = errno;
  }
  if (error != 0) {
    ::unlink(path.c_str());
  }
  return error;
}

[[noreturn]] void fail_write(const fs::path& path, std::span<const std::byte> bytes, int error) {
  fail_io(fmt::format("write {} bytes to", bytes.size()), path, error);
}

}  // namespace

void fail_io(std::string_view verb, const fs::path& path, int error) {
  fail("cannot {} '{}': {}.{}", verb, path.string(), std::generic_category().message(error),
       advice(error));
}

std::vector<std::byte> read_file(const fs::path& path) {
  // Without O_NONBLOCK, opening a named pipe would wait for a writer.
  const FileDescriptor file = open_file(path, O_RDONLY | O_NONBLOCK);
  struct stat status = {};
  if (!file || ::fstat(file.get(), &status) != 0) {
    fail_io("read", path, errno);
  }
  check(S_ISREG(status.st_mode), "cannot read '{}': {}", path.string(),
        S_ISDIR(status.st_mode) ? "it is a directory, a file is needed" : "not a regular file");
  std::vector<std::byte> bytes(static_cast<std::size_t>(status.st_size));
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t got = ::read(file.get(), bytes.data() + done, bytes.size() - done);
    if (got < 0 && errno != EINTR) {
      fail_io("read", path, errno);
    }
    check(got != 0, "cannot read '{}': it shrank to {} of {} bytes while it was read",
          path.string(), done, bytes.size());
    done += got > 0 ? static_cast<std::size_t>(got) : 0;
  }
  return bytes;
}

void write_new_file(const fs::path& path, std::span<const std::byte> bytes) {
  if (const int error = create_file(path, bytes, 0666); error != 0) {
    fail_write(path, bytes, error);
  }
}

void write_file_atomically(const fs::path& path, std::span<const std::byte> bytes, unsigned mode) {
  const fs::path temporary = temporary_beside(path);
  if (const int error = create_file(temporary, bytes, mode); error != 0) {
    fail_write(path, bytes, error);
  }
  if (std::rename(temporary.c_str(), path.c_str()) != 0) {
    const int error = errno;
    ::unlink(temporary.c_str());
    fail_write(path, bytes, error);
  }
  sync_directory(parent_of(path));
}

void sync_directory(const fs::path& path) {
  const FileDescriptor directory = open_file(path, O_RDONLY | O_DIRECTORY);
  // EINVAL: a file system that does not take fsync of a directory.
  if (!directory || (::fsync(directory.get()) != 0 && errno != EINVAL)) {
    fail_io("synchronise directory", path, errno);
  }
}

}  // namespace convoy::io
