#include "launcher/run_dir.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <nlohmann/json.hpp>

#include "core/base/check.h"
#include "core/base/file_descriptor.h"
#include "core/io/file.h"
#include "launcher/json.h"

namespace convoy::launcher {
namespace {

namespace fs = std::filesystem;

constexpr std::array<const char*, 3> kDirectories = {"checkpoints", "final", "plots"};

// "20250131-142501", local time.
std::string time_stamp(std::chrono::system_clock::time_point now) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  std::tm parts{};
  localtime_r(&seconds, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y%m%d-%H%M%S", &parts)};
}

// What a model is called in a file's name: "models/my net.textproto" is "my-net".
std::string file_name(const std::string& model) {
  std::string name = fs::path(model).stem().string().substr(0, 64);
  for (char& c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '_' || c == '.';
    c = plain ? c : '-';
  }
  return name.empty() ? "model" : name;
}

void make_parents(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  check(!error, "cannot create the directory {}: {}", path.string(), error.message());
}

// mkdir(2) either makes a directory or says that somebody else did, so no two runs share one.
fs::path make_numbered(const RunDir::Options& options) {
  make_parents(options.root);
  const std::string stem = fmt::format("{}-{}", time_stamp(options.now), file_name(options.model));
  for (int number = 1;; ++number) {
    fs::path path = options.root / fmt::format("{}-{}", stem, number);
    if (mkdir(path.c_str(), 0777) == 0) {
      return path;
    }
    check(errno == EEXIST, "cannot create the run directory {}: {}", path.string(),
          system_reason());
  }
}

// Empty, or left behind by a run that came no further than to make its directories.
bool is_unused(const fs::path& path) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(path, error)) {
    const bool ours =
        std::ranges::find(kDirectories, entry.path().filename()) != std::end(kDirectories);
    if (!ours || !entry.is_directory(error) || !fs::is_empty(entry.path(), error)) {
      return false;
    }
  }
  check(!error, "cannot read the run directory {}: {}", path.string(), error.message());
  return true;
}

// Returns whether the directory was made.
bool take_named(const fs::path& path, bool resume) {
  if (resume) {
    check(is_run_dir(path), "{} holds no run to go on with: it has no config.json", path.string());
    return false;
  }
  if (path.has_parent_path()) {
    make_parents(path.parent_path());
  }
  if (mkdir(path.c_str(), 0777) == 0) {
    return true;
  }
  check(errno == EEXIST, "cannot create the run directory {}: {}", path.string(), system_reason());
  std::error_code error;
  check(fs::is_directory(path, error), "the run directory {} is a file; choose another --run-dir",
        path.string());
  check(!is_run_dir(path), "{} already holds a run\nchoose another --run-dir, or remove it first",
        path.string());
  check(is_unused(path),
        "{} is neither empty nor a run directory: it holds files of something else\n"
        "choose another --run-dir",
        path.string());
  return false;
}

// Reserves the bytes in a file of its own and gives them back.
void prove_space(const fs::path& directory, std::uint64_t bytes) {
  const fs::path probe = directory / fmt::format(".probe-{}", getpid());
  const FileDescriptor file(open(probe.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  check(static_cast<bool>(file), "the run directory {} cannot be written to: {}",
        directory.string(), system_reason());
  // A byte is really written, because some file systems promise space that they don't have.
  const int error =
      posix_fallocate(file.get(), 0, static_cast<off_t>(std::max<std::uint64_t>(bytes, 4096)));
  const bool written = error == 0 && write_all(file, "x") && fsync(file.get()) == 0;
  const std::string reason = error == 0 ? system_reason() : std::generic_category().message(error);
  unlink(probe.c_str());
  check(written, "the run directory {} has no room for the {:.1f} MB that the run needs: {}",
        directory.string(), static_cast<double>(bytes) / 1e6, reason);
}

void make_directories(const fs::path& run) {
  for (const char* name : kDirectories) {
    std::error_code error;
    fs::create_directory(run / name, error);
    check(!error, "the run directory {} cannot be written to: {}", run.string(), error.message());
  }
}

// Takes back what was made; fs::remove leaves alone what is not empty.
void remove_directories(const fs::path& run, bool made) {
  std::error_code ignored;
  for (const char* name : kDirectories) {
    fs::remove(run / name, ignored);
  }
  if (made) {
    fs::remove(run, ignored);
  }
}

// A symlink cannot be changed, only replaced: by one of another name that is renamed over it.
std::string point_latest_to(const fs::path& path) {
  const fs::path latest = path.parent_path() / "latest";
  const fs::path fresh = path.parent_path() / fmt::format(".latest-{}", path.filename().string());
  unlink(fresh.c_str());
  if (symlink(path.filename().c_str(), fresh.c_str()) == 0 &&
      rename(fresh.c_str(), latest.c_str()) == 0) {
    return "";
  }
  const std::string reason = system_reason();
  unlink(fresh.c_str());
  return fmt::format("cannot point {} to this run: {}", latest.string(), reason);
}

}  // namespace

RunDir::RunDir(const Options& options)
    : path_(options.path.has_filename() ? options.path : options.path.parent_path()) {
  const bool numbered = path_.empty();
  bool made = true;
  if (numbered) {
    path_ = make_numbered(options);
  } else {
    made = take_named(path_, options.resume);
  }
  if (!options.resume) {
    lock_ = lock_run(path_);
  }
  try {
    make_directories(path_);
    prove_space(path_, options.needed_bytes);
  } catch (const Error&) {
    remove_directories(path_, made);
    throw;
  }
  if (numbered) {
    warning_ = point_latest_to(path_);
  }
}

void RunDir::append(const EpochMetrics& metrics) const {
  const fs::path path = metrics_file();
  const FileDescriptor file(open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  check(static_cast<bool>(file), "cannot write {}: {}", path.string(), system_reason());
  const off_t length = lseek(file.get(), 0, SEEK_END);
  if (!write_all(file, to_json(metrics).dump() + "\n") || fsync(file.get()) != 0) {
    const std::string reason = system_reason();
    // Half a line would spoil the file for every reader.
    const bool restored = length >= 0 && ftruncate(file.get(), length) == 0;
    fail("cannot write {}: {}{}", path.string(), reason,
         restored ? "" : " (its last line is torn)");
  }
}

void RunDir::rewrite(std::span<const EpochMetrics> epochs) const {
  std::string lines;
  for (const EpochMetrics& epoch : epochs) {
    lines += to_json(epoch).dump() + "\n";
  }
  io::write_file_atomically(metrics_file(), io::as_bytes(lines));
}

FileDescriptor lock_run(const fs::path& path) {
  FileDescriptor directory(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const bool taken =
      directory && flock(directory.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  check(!taken, "another process is writing the run in {}\nwait for its end, or stop it first",
        path.string());
  return directory;
}

bool is_run_dir(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path / "config.json", error);
}

}  // namespace convoy::launcher
