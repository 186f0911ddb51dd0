#include "core/io/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include "core/base/check.h"
#include "core/base/file_descriptor.h"

namespace convoy::io {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kPieceBytes = std::uint64_t{1} << 16;

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

// Removes a file in the end unless it is kept.
class Unfinished {
 public:
  explicit Unfinished(const fs::path& path) : path_(path) {}
  ~Unfinished() {
    if (!kept_) {
      ::unlink(path_.c_str());
    }
  }
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;
  void keep() { kept_ = true; }

 private:
  const fs::path& path_;
  bool kept_ = false;
};

// `meant`: the path for messages.
void check_written(bool done, const FileContent& content, const fs::path& meant) {
  if (!done) {
    fail_io(fmt::format("write {} bytes to", content.bytes), meant, errno);
  }
}

// Makes `path`, which is to become `meant`, perhaps by `finish`, whose result says whether it did.
template <typename Finish>
void create_file(const fs::path& path, const fs::path& meant, const FileContent& content,
                 unsigned mode, Finish finish) {
  FileDescriptor file = open_file(path, O_WRONLY | O_CREAT | O_EXCL, mode);
  check_written(static_cast<bool>(file), content, meant);
  Unfinished unfinished(path);
  content.give([&](std::span<const std::byte> bytes) {
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    check_written(write_all(file, text), content, meant);
  });
  check_written(::fsync(file.get()) == 0, content, meant);
  check_written(file.close(), content, meant);
  check_written(finish(), content, meant);
  unfinished.keep();
}

struct OpenFile {
  FileDescriptor descriptor;
  std::uint64_t bytes = 0;
};

OpenFile open_regular(const fs::path& path) {
  // Without O_NONBLOCK, opening a named pipe would wait for a writer.
  FileDescriptor file = open_file(path, O_RDONLY | O_NONBLOCK);
  struct stat status = {};
  if (!file || ::fstat(file.get(), &status) != 0) {
    fail_io("read", path, errno);
  }
  check(S_ISREG(status.st_mode), "cannot read '{}': {}", path.string(),
        S_ISDIR(status.st_mode) ? "it is a directory, a file is needed" : "not a regular file");
  return {std::move(file), static_cast<std::uint64_t>(status.st_size)};
}

// Fills `out`, of which the file has to have enough left. `done`: bytes before.
void read_exactly(const OpenFile& file, const fs::path& path, std::uint64_t done,
                  std::span<std::byte> out) {
  while (!out.empty()) {
    const ssize_t got = ::read(file.descriptor.get(), out.data(), out.size());
    if (got < 0 && errno != EINTR) {
      fail_io("read", path, errno);
    }
    check(got != 0, "cannot read '{}': it shrank to {} of {} bytes while it was read",
          path.string(), done, file.bytes);
    const auto more = static_cast<std::size_t>(std::max<ssize_t>(got, 0));
    done += more;
    out = out.subspan(more);
  }
}

}  // namespace

void fail_io(std::string_view verb, const fs::path& path, int error) {
  fail("cannot {} '{}': {}.{}", verb, path.string(), std::generic_category().message(error),
       advice(error));
}

std::vector<std::byte> read_file(const fs::path& path) {
  const OpenFile file = open_regular(path);
  std::vector<std::byte> bytes(static_cast<std::size_t>(file.bytes));
  read_exactly(file, path, 0, bytes);
  return bytes;
}

void read_pieces(const fs::path& path, const ByteSink& sink) {
  const OpenFile file = open_regular(path);
  std::vector<std::byte> piece(std::min<std::uint64_t>(file.bytes, kPieceBytes));
  for (std::uint64_t done = 0; done < file.bytes; done += piece.size()) {
    piece.resize(std::min<std::uint64_t>(file.bytes - done, piece.size()));
    read_exactly(file, path, done, piece);
    sink(piece);
  }
}

void write_new_file(const fs::path& path, const FileContent& content) {
  create_file(path, path, content, 0666, [] { return true; });
}

void write_new_file(const fs::path& path, std::span<const std::byte> bytes) {
  write_new_file(path, FileContent::of(bytes));
}

void write_file_atomically(const fs::path& path, const FileContent& content, unsigned mode) {
  const fs::path temporary = temporary_beside(path);
  create_file(temporary, path, content, mode,
              [&] { return std::rename(temporary.c_str(), path.c_str()) == 0; });
  sync_directory(parent_of(path));
}

void write_file_atomically(const fs::path& path, std::span<const std::byte> bytes, unsigned mode) {
  write_file_atomically(path, FileContent::of(bytes), mode);
}

void sync_directory(const fs::path& path) {
  const FileDescriptor directory = open_file(path, O_RDONLY | O_DIRECTORY);
  // EINVAL: a file system that does not take fsync of a directory.
  if (!directory || (::fsync(directory.get()) != 0 && errno != EINVAL)) {
    fail_io("synchronise directory", path, errno);
  }
}

}  // namespace convoy::io
