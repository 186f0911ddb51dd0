#include "core/io/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include "core/base/check.h"

namespace convoy::io {
namespace {

namespace fs = std::filesystem;

// An open file, or none if get() is negative. Who wants to know whether closing worked calls close.
class Descriptor {
 public:
  Descriptor(const fs::path& path, int flags)
      : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0666)) {}
  ~Descriptor() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return fd_; }
  int close() { return ::close(std::exchange(fd_, -1)); }

 private:
  int fd_;
};

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

// All of these give an errno value, 0 for success.
int write_all(int fd, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) {
        continue;
      }
      return errno;
    }
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return 0;
}

int create_file(const fs::path& path, std::span<const std::byte> bytes) {
  Descriptor file(path, O_WRONLY | O_CREAT | O_EXCL);
  if (file.get() < 0) {
    return errno;
  }
  int error = write_all(file.get(), bytes);
  if (error == 0 && ::fsync(file.get()) != 0) {
    error = errno;
  }
  if (file.close() != 0 && error == 0) {
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
  const Descriptor file(path, O_RDONLY | O_NONBLOCK);
  struct stat status = {};
  if (file.get() < 0 || ::fstat(file.get(), &status) != 0) {
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
  if (const int error = create_file(path, bytes); error != 0) {
    fail_write(path, bytes, error);
  }
}

void write_file_atomically(const fs::path& path, std::span<const std::byte> bytes) {
  const fs::path temporary = temporary_beside(path);
  if (const int error = create_file(temporary, bytes); error != 0) {
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
  const Descriptor directory(path, O_RDONLY | O_DIRECTORY);
  // EINVAL: a file system that does not take fsync of a directory.
  if (directory.get() < 0 || (::fsync(directory.get()) != 0 && errno != EINVAL)) {
    fail_io("synchronise directory", path, errno);
  }
}

}  // namespace convoy::io
