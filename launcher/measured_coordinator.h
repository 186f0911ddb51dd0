// A coordinator in a process of its own, to be measured from outside.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>

#include "dist/coordinator/net/endpoint.h"

namespace convoy::launcher {

/// What a process has taken so far.
struct ProcessFigures {
  double cpu_seconds = 0.0;
  double memory_mib = 0.0;       ///< resident
  double peak_memory_mib = 0.0;  ///< likewise, the most
};

/// Throws Error if the system does not tell.
ProcessFigures figures_of(pid_t process);

/// Made early, by fork: REQUIRES that this process has neither threads nor gRPC yet.
class MeasuredCoordinator {
 public:
  /// The child waits for serve(), bound to `core` if there is one.
  MeasuredCoordinator(const std::filesystem::path& database, std::optional<int> core);
  /// Ends the child.
  ~MeasuredCoordinator();
  MeasuredCoordinator(const MeasuredCoordinator&) = delete;
  MeasuredCoordinator& operator=(const MeasuredCoordinator&) = delete;

  /// Throws Error if it does not come up; it has said why on stderr.
  dist::Endpoint serve();
  pid_t process() const { return process_; }

 private:
  [[noreturn]] void run(const std::filesystem::path& database, std::optional<int> core);

  dist::Token token_;
  int wish_[2] = {-1, -1};     // a byte for the child: to serve, to end
  int address_[2] = {-1, -1};  // a line from the child
  pid_t process_ = -1;
};

}  // namespace convoy::launcher
