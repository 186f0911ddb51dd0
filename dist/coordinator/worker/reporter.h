// The worker's side of the coordinator: takes what training tells, keeps it, and sees to it that
// the coordinator learns of it, however often either of the two goes away. Training never waits for
// it: everything is done on a thread of its own, about once a second.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "convoy/v1/coordinator.pb.h"
#include "dist/coordinator/worker/report_queue.h"
#include "dist/coordinator/worker/report_sink.h"

namespace convoy::dist {

/// Thread safe.
class Reporter {
 public:
  struct Options {
    /// Of this generation. `first_sequence` is set by the reporter.
    v1::RegisterRunRequest registration = {};
    /// Where reports are kept until the coordinator has them. What another generation left there is
    /// sent first. No other process may write it.
    std::filesystem::path journal = {};
    ReportLimits limits = {};
    std::chrono::milliseconds interval{1000};  ///< between reports
    std::chrono::milliseconds first_back_off{100};
    std::chrono::milliseconds longest_back_off{5000};
    std::chrono::milliseconds flush{2000};      ///< how long the destructor may wait,
    std::chrono::milliseconds away_flush{250};  ///< and while the coordinator does not answer
    /// The rank that training waits for; -1 if for none. Called by the reporter's thread.
    std::function<int()> awaited = {};
    std::string coordinator = "the coordinator";  ///< for notes: its address
  };

  Reporter(std::unique_ptr<ReportSink> sink, Options options);
  /// Closes it.
  ~Reporter();
  Reporter(const Reporter&) = delete;
  Reporter& operator=(const Reporter&) = delete;

  // Telling. None of these waits for anything.
  void step(StepRecord step);
  void epoch(v1::EpochMetrics epoch);
  void note(v1::Severity severity, const std::string& text);
  void phase(v1::Phase phase);
  /// Nothing may be told after this.
  void end(v1::RunState state, const std::string& reason);

  /// Sends what is left, within the time that the options say, and ends the thread. Returns how
  /// many messages stay in the journal.
  std::size_t close();

  /// Somebody asked the coordinator to stop the run.
  bool stop_requested() const;
  /// What people should know, once each: that the coordinator does not answer, that it does again.
  std::vector<std::string> take_notes();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace convoy::dist
