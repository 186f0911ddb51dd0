#include "launcher/mpirun_output.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "launcher/notice.h"

namespace convoy::launcher {
namespace {

constexpr std::size_t kRuleLength = 60;           // Open MPI's have 66 or 74 dashes
constexpr std::size_t kLongestRemark = 8 * 1024;  // what is longer is none
constexpr std::string_view kErrorMark = "convoy: rank ";
constexpr std::string_view kForwarding = "mpirun: Forwarding signal ";

// Where a line of dashes begins and where the line after it begins; npos while not there.
struct Rule {
  std::size_t begin = std::string::npos;
  std::size_t end = std::string::npos;
};

Rule find_rule(const std::string& text, std::size_t from) {
  static const std::string dashes(kRuleLength, '-');
  Rule rule;
  rule.begin = text.find(dashes, from);
  if (rule.begin != text.npos) {
    const std::size_t end = text.find_first_not_of('-', rule.begin);
    rule.end = end == text.npos ? end : end + (text[end] == '\n' ? 1 : 0);
  }
  return rule;
}

// What follows `words` in a remark, up to the next blank; "" if they are not in it.
std::string word_after(const std::string& remark, std::string_view words) {
  const std::size_t at = remark.find(words);
  if (at == remark.npos) {
    return "";
  }
  const std::size_t begin =
      std::min(remark.find_first_not_of(" \n", at + words.size()), remark.size());
  return remark.substr(begin, remark.find_first_of(" \n", begin) - begin);
}

int number_after(const std::string& remark, std::string_view words) {
  const std::string word = word_after(remark, words);
  int number = 0;
  std::from_chars(word.data(), word.data() + word.size(), number);
  return number;
}

bool has(const std::string& remark, std::string_view words) {
  return remark.find(words) != remark.npos;
}

// Reads a remark of mpirun's into `report`. False for one that has more to say than that the job
// has ended.
bool read_remark(const std::string& remark, JobReport& report) {
  const bool killed = has(remark, "mpirun noticed that process rank");
  if (killed || has(remark, "mpirun has exited due to process rank")) {
    report.death = report.death.value_or(
        JobReport::Death{.rank = number_after(remark, "process rank"),
                         .host = word_after(remark, "node"),
                         .signal = killed ? number_after(remark, "exited on signal") : 0});
    return true;
  }
  if (has(remark, "lost communication with a remote daemon")) {
    const std::size_t remote = std::min(remark.find("Remote daemon"), remark.size());
    report.lost_host = report.lost_host.value_or(word_after(remark.substr(remote), "on node"));
    return true;
  }
  return has(remark, "Per user-direction, the job has been aborted") ||
         has(remark, "mpirun detected that one or more processes exited with non-zero status") ||
         has(remark, "MPI_ABORT was invoked on rank");
}

}  // namespace

std::string MpirunOutput::take(std::string_view bytes) {
  waiting_ += bytes;
  // mpirun says so in the middle of a line; convoy has said that it stops.
  for (std::size_t at = 0; (at = waiting_.find(kForwarding)) != waiting_.npos;) {
    const std::size_t end = waiting_.find('\n', at);
    if (end == waiting_.npos) {
      break;
    }
    waiting_.erase(at, end + 1 - at);
  }
  std::string shown;
  for (;;) {
    const std::size_t stop = std::min(waiting_.find(kNoticeMark), find_rule(waiting_, 0).begin);
    if (stop == waiting_.npos) {
      const std::size_t last = waiting_.find_last_not_of('-');
      const std::size_t whole = last == waiting_.npos ? 0 : last + 1;
      shown += show(std::string_view(waiting_).substr(0, whole));
      waiting_.erase(0, whole);
      return shown;
    }
    shown += show(std::string_view(waiting_).substr(0, stop));
    waiting_.erase(0, stop);
    if (!(waiting_.front() == kNoticeMark ? take_notice() : take_remark(shown))) {
      return shown;
    }
  }
}

std::string MpirunOutput::finish() {
  std::string shown = show(waiting_);
  waiting_.clear();
  if (!at_line_start()) {
    shown += show("\n");
  }
  return shown;
}

// Takes the notice that `waiting_` begins with; false if it is not all there.
bool MpirunOutput::take_notice() {
  const std::size_t end = waiting_.find('\n');
  if (end == waiting_.npos) {
    return false;
  }
  const std::string notice = waiting_.substr(1, end - 1);
  const std::size_t equals = std::min(notice.find('='), notice.size());
  report_.notices[notice.substr(0, equals)] =
      equals < notice.size() ? notice.substr(equals + 1) : "";
  waiting_.erase(0, end + 1);
  return true;
}

// Takes the remark that `waiting_` begins with; false if it is not all there.
bool MpirunOutput::take_remark(std::string& shown) {
  const Rule opening = find_rule(waiting_, 0);
  const Rule closing = opening.end == waiting_.npos ? Rule{} : find_rule(waiting_, opening.end);
  if (closing.end == waiting_.npos && waiting_.size() < kLongestRemark) {
    return false;
  }
  const std::size_t end = std::min(closing.end, waiting_.size());
  const std::string remark = waiting_.substr(0, end);
  waiting_.erase(0, end);
  if (!read_remark(remark, report_)) {
    shown += show(remark);
  }
  return true;
}

// Remembers what is shown; a rank's error does not begin in the middle of another's line.
std::string MpirunOutput::show(std::string_view text) {
  std::string shown;
  for (const char letter : text) {
    shown += letter;
    if (letter == '\n' || letter == '\r') {
      end_line();
    } else {
      line_ += letter;
      if (line_.size() > kErrorMark.size() && line_.ends_with(kErrorMark)) {
        const std::size_t kept = shown.size() - std::min(shown.size(), kErrorMark.size());
        shown = fmt::format("{}\n{}", shown.substr(0, kept), shown.substr(kept));
        line_ = kErrorMark;
      }
    }
  }
  return shown;
}

void MpirunOutput::end_line() {
  if (line_.starts_with(kErrorMark) && !report_.error) {
    report_.error = line_.substr(std::string_view("convoy: ").size());
  }
  line_.clear();
}

}  // namespace convoy::launcher
