// Reads along what mpirun and its ranks write to stderr: shows what ranks say, keeps mpirun's own
// remarks away, and remembers what tells how the job fared.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace convoy::launcher {

/// What became known of a job.
struct JobReport {
  /// A rank that mpirun saw end before its time.
  struct Death {
    int rank = 0;
    std::string host = {};
    int signal = 0;  ///< 0: it left without saying why
  };

  std::optional<std::string> error = {};  ///< the first of a rank's own: "rank 1 (node7): text"
  std::optional<Death> death = {};        ///< the first
  std::optional<std::string> lost_host = {};
  std::map<std::string, std::string, std::less<>> notices = {};  ///< launcher/notice.h; the last

  bool has(std::string_view notice) const { return notices.contains(notice); }
};

/// Bytes go in as they come. Text is shown at once, whole lines or not, so that a bar stays a bar;
/// only what may become a remark of mpirun's (a block between two rules of dashes) waits for its
/// end.
class MpirunOutput {
 public:
  /// Takes the next bytes and returns what is to be shown.
  std::string take(std::string_view bytes);
  /// The same for the end: nothing more will come.
  std::string finish();

  const JobReport& report() const { return report_; }
  /// Whether what was shown last ended its line.
  bool at_line_start() const { return line_.empty(); }

 private:
  std::string show(std::string_view text);
  void end_line();
  bool take_notice();
  bool take_remark(std::string& shown);

  JobReport report_;
  std::string waiting_;  // not shown yet
  std::string line_;     // shown of the current line
};

}  // namespace convoy::launcher
