// The events of all runs, numbered as they happen.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "convoy/v1/run.pb.h"
#include "dist/coordinator/base/times.h"

namespace convoy::dist {

constexpr std::size_t kMaxEventBytes = 1024;

/// One line for people: control characters become spaces, and it is cut at a character's border.
std::string one_line(std::string_view text, std::size_t max_bytes);

class EventLog {
 public:
  explicit EventLog(std::int64_t last_sequence) : last_sequence_(last_sequence) {}

  void add(Time now, const std::string& run, v1::Severity severity, std::string_view text) {
    v1::Event& event = events_.emplace_back();
    event.set_sequence(++last_sequence_);
    *event.mutable_time() = to_message(now);
    event.set_run(run);
    event.set_severity(severity);
    event.set_text(one_line(text, kMaxEventBytes));
  }
  void info(Time now, const std::string& run, std::string_view text) {
    add(now, run, v1::SEVERITY_INFO, text);
  }
  void warning(Time now, const std::string& run, std::string_view text) {
    add(now, run, v1::SEVERITY_WARNING, text);
  }

  std::int64_t last_sequence() const { return last_sequence_; }
  bool has_new() const { return !events_.empty(); }
  /// Those since this was last called.
  std::vector<v1::Event> take() { return std::exchange(events_, {}); }

 private:
  std::int64_t last_sequence_;
  std::vector<v1::Event> events_;
};

}  // namespace convoy::dist
