// Who is asked how runs are doing: a coordinator, or the database that it left behind.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "dist/coordinator/coordinator.h"
#include "dist/coordinator/rpc/client.h"
#include "launcher/run_finder.h"
#include "launcher/status_report.h"

namespace convoy::launcher {

/// Refusals of a coordinator come as Error without its control characters.
class StatusSource {
 public:
  /// A coordinator; nobody is asked yet.
  explicit StatusSource(const dist::Endpoint& endpoint,
                        std::chrono::milliseconds timeout = std::chrono::seconds(5));
  /// The coordinator of a run of this machine if it answers, else its database; then `note` tells
  /// why, unless the run has ended.
  explicit StatusSource(const FoundRun& found);

  bool is_live() const;
  /// The client of one that is live.
  dist::CoordinatorClient& client() const;
  /// Of a run of this machine, as the coordinator knows it; else empty.
  const std::string& run() const { return run_; }

  /// A run, with its last events and the parts.
  StatusReport report(const std::string& run, const StatusParts& parts) const;
  /// The same, of a run that is known already.
  StatusReport report(const v1::Run& run, const StatusParts& parts) const;
  /// The same without events.
  StatusReport brief(const std::string& run) const;
  /// The newest runs, as brief.
  std::vector<StatusReport> reports() const;

 private:
  template <typename Ask>
  auto ask(const Ask& question) const;
  StatusReport headed(v1::Run run) const;
  bool takes_calls(const FoundRun& found);
  void open_database(const FoundRun& found);
  std::string why_database(const FoundRun& found, const v1::Run& run) const;

  std::variant<std::unique_ptr<dist::CoordinatorClient>, std::unique_ptr<dist::Coordinator>> asked_;
  std::string run_;
  std::string note_;
  std::string page_;
};

}  // namespace convoy::launcher
