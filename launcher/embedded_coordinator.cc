#include "launcher/embedded_coordinator.h"

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "core/io/file.h"
#include "dist/coordinator/base/log.h"
#include "dist/coordinator/net/endpoint.h"
#include "launcher/run_finder.h"

namespace convoy::launcher {
namespace {

namespace fs = std::filesystem;

// For one run's people.
constexpr dist::ServerLimits kLimits = {
    .connections = 64, .watchers = 32, .memory_bytes = 64 << 20, .calls_per_second = 1000};

// Without a link `convoy status` needs to be told the directory: no reason to fail.
void link_to(const fs::path& directory, const std::string& run) {
  std::error_code ignored;
  const fs::path folder = run_links();
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
  const std::string text = json.dump(2) + "\n";
  io::write_file_atomically(directory_ / "coordinator.json", io::as_bytes(text), 0600);
}

EmbeddedCoordinator::~EmbeddedCoordinator() {
  unlink((directory_ / "coordinator.json").c_str());
}

}  // namespace convoy::launcher
