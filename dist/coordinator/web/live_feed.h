// What changes, as it changes, for one viewer: the events of a text/event-stream.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>

#include "dist/coordinator/coordinator.h"

namespace convoy::dist {

/// Changes between two calls of next() are told as one, so a slow viewer costs no memory. For one
/// thread. Events:
///   event: runs   the newest 200 runs, a ListRunsResponse: once, in a feed of all runs
///   event: run    a Run: once for a feed of one run, then whenever one changed
///   event: gone   {"run": "..."}: it is forgotten
class LiveFeed {
 public:
  /// Of one run, or of all if `run` is empty. Throws Refusal if there is no such run.
  LiveFeed(Coordinator& coordinator, std::string run, std::stop_token stop);

  /// Text for the viewer; empty if nothing changed for a while, so that the caller may see whether
  /// the viewer is still there. nullopt: stopped.
  std::optional<std::string> next();

 private:
  std::string describe(const std::string& run) const;

  Coordinator& coordinator_;
  const std::string run_;
  const std::stop_token stop_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::set<std::string> runs_;  ///< that changed
  std::string first_;           ///< what the viewer is told first
  std::chrono::steady_clock::time_point told_ = {};
  std::unique_ptr<Coordinator::Subscription> subscription_;  ///< last: ends before what it uses
};

}  // namespace convoy::dist
