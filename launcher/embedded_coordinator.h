// A coordinator of a run's own, in the process of its rank 0.
//
//   RUN_DIR/coordinator.db     what it was told; stays
//   RUN_DIR/coordinator.json   {"address", "token", "pid", "run", "page"}, for this user alone;
//   goes run_links()/RUN            a link to RUN_DIR, by which `convoy status` finds it; stays
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "dist/coordinator/coordinator.h"
#include "dist/coordinator/rpc/server.h"
#include "dist/coordinator/web/http_server.h"

namespace convoy::launcher {

class EmbeddedCoordinator {
 public:
  /// Serves on a free port of loopback. Throws Error.
  EmbeddedCoordinator(const std::filesystem::path& run_dir, const std::string& run);
  ~EmbeddedCoordinator();
  EmbeddedCoordinator(const EmbeddedCoordinator&) = delete;
  EmbeddedCoordinator& operator=(const EmbeddedCoordinator&) = delete;

  dist::Coordinator& coordinator() { return coordinator_; }

 private:
  void describe(const std::string& run, const dist::Token& token) const;

  const std::filesystem::path directory_;
  dist::Coordinator coordinator_;
  std::optional<dist::CoordinatorServer> server_;
  std::optional<dist::HttpServer> page_;
};

}  // namespace convoy::launcher
