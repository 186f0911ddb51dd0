// What training looks like while it runs: on a terminal one bar redrawn in place, elsewhere (a
// pipe, a file, CI) a plain line now and then; and a line per epoch in both.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/metrics.h"
#include "launcher/terminal.h"

namespace convoy::launcher {

/// Writes to one stream, which is stderr: stdout belongs to --json. Not thread safe.
///
///   Progress progress({.terminal = terminal_of(STDERR_FILENO), .epochs = 15});
///   progress.begin_epoch(1, 60000);
///   progress.update({.images = 32, .loss = 2.31, .accuracy = 0.09});
///   progress.begin("testing", 10000);
///   progress.finish_epoch(metrics);
class Progress {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  struct Options {
    std::ostream* out = &std::cerr;
    Terminal terminal = {};
    /// Asked before every redraw, so that a resized window is filled.
    std::function<int()> columns = [] { return 80; };
    std::function<TimePoint()> now = [] { return std::chrono::steady_clock::now(); };
    std::chrono::milliseconds redraw_interval{100};   ///< least time between redraws
    std::chrono::milliseconds line_interval{10'000};  ///< least time between plain lines
    int epochs = 1;                                   ///< of the whole run
    bool quiet = false;                               ///< only notes are shown
  };

  /// Of the pass so far. Loss and accuracy are averages; NaN leaves one out.
  struct Status {
    std::int64_t images = 0;
    double loss = EpochMetrics::kNone;
    double accuracy = EpochMetrics::kNone;
  };

  explicit Progress(Options options);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  /// Takes the bar away, so that an error's text starts on a clean line.
  ~Progress();

  /// Begins a pass over `images` images, the training of `epoch` (counts from 1).
  void begin_epoch(int epoch, std::int64_t images);
  /// Begins any other pass: "testing".
  void begin(std::string_view label, std::int64_t images);
  void update(const Status& status);
  /// Ends a pass: takes the bar away and prints nothing.
  void end();
  /// Ends the epoch with its line.
  void finish_epoch(const EpochMetrics& metrics);

  /// Prints a line of text above the bar.
  void note(std::string_view text);

 private:
  // A piece of the line. The one with the highest `rank` goes first when space is short; `room` is
  // kept free for it, so that the bar does not tremble as its digits change.
  struct Part {
    std::string text;
    int rank = 0;
    int room = 0;
  };

  bool redraw_due() const;
  double share() const;  // of the pass that is done, in [0, 1]
  std::vector<Part> parts() const;
  std::string bar_line(int columns) const;
  std::string plain_line() const;
  void write_line(std::string_view text);

  Options options_;
  std::string label_;
  int epochs_left_ = 0;  // after the one being trained
  std::int64_t total_ = 0;
  Status status_;
  TimePoint began_;
  TimePoint last_output_;
  bool drawn_ = false;  // a bar stands on the current line
};

/// "epoch  3/15  train loss 0.0453, accuracy 98.61 %  test loss 0.0512, accuracy 98.32 %
///  12,345 images/s  4.9s" on one line, or the same in fewer words if that is longer than
///  `columns`.
std::string epoch_line(const EpochMetrics& metrics, int epochs, int columns);

}  // namespace convoy::launcher
