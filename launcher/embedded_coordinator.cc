#include "launcher/embedded_coordinator.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "core/base/check.h"
#include "dist/coordinator/endpoint.h"
#include "dist/coordinator/log.h"
#include "launcher/file_descriptor.h"

namespace convoy::launcher {
namespace {

namespace fs = std::filesystem;

// For one run's people.
constexpr dist::ServerLimits kLimits = {
    .connections = 64, .watchers = 32, .memory_bytes = 64 << 20, .calls_per_second = 1000};

// Nobody else can read it at any moment, nor see half of it.
void write_private(const fs::path& path, const std::string& text) {
  const fs::path fresh =
      path.parent_path() / fmt::format(".{}.{}", path.filename().string(), getpid());
  unlink(fresh.c_str());
  const FileDescriptor file(
      open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file || !write_all(file, text) || rename(fresh.c_str(), path.c_str()) != 0) {
    const std::string reason = system_reason();
    unlink(fresh.c_str());
    fail("cannot write {}: {}", path.string(), reason);
  }
}

// Relative paths are to be ignored, says the XDG Base Directory Specification.
fs::path links() {
  const char* state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && fs::path(state).is_absolute()) {
    return fs::path(state) / "convoy" / "runs";
  }
  const char* home = std::getenv("HOME");
  return home == nullptr ? fs::path() : fs::path(home) / ".local" / "state" / "convoy" / "runs";
}

// Without a link `convoy status` needs to be told the directory: no reason to fail.
void link_to(const fs::path& directory, const std::string& run) {
  std::error_code ignored;
  const fs::path folder = links();
  fs::create_directories(folder, ignored);
  // Those of runs that were deleted.
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    std::error_code error;
    if (entry.is_symlink(error) &&
        fs::status(entry.path(), error).type() == fs::file_type::not_found) {
      fs::remove(entry.path(), error);
    }
  }
  fs::remove(folder / run, ignored);
  fs::create_directory_symlink(directory, folder / run, ignored);
}

}  // namespace

EmbeddedCoordinator::EmbeddedCoordinator(const fs::path& run_dir, const std::string& run)
    : directory_(fs::absolute(run_dir)), coordinator_({.database = directory_ / "coordinator.db"}) {
  // Stderr is training's.
  dist::set_log_level(dist::LogLevel::kError);
  const dist::Token token = dist::make_token();
  server_.emplace(coordinator_,
                  dist::CoordinatorServer::Options{.token = token, .limits = kLimits});
  page_.emplace(coordinator_, dist::HttpServer::Options{.token = token});
  describe(run, token);
  link_to(directory_, run);
}

void EmbeddedCoordinator::describe(const std::string& run, const dist::Token& token) const {
  const nlohmann::ordered_json json = {{"address", server_->address()},
                                       {"token", token},
                                       {"pid", getpid()},
                                       {"run", run},
                                       {"page", page_->url()}};
  write_private(directory_ / "coordinator.json", json.dump(2) + "\n");
}

EmbeddedCoordinator::~EmbeddedCoordinator() {
  unlink((directory_ / "coordinator.json").c_str());
}

}  // namespace convoy::launcher
