// Findings as people and programs read them.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "launcher/doctor.h"

namespace convoy::launcher {
namespace {

struct Word {
  const char* text;
  const char* colour;
};

Word word_of(Level level) {
  switch (level) {
    case Level::kProblem:
      return {"problem", "\033[1;31m"};
    case Level::kNote:
      return {"note", "\033[33m"};
    case Level::kOk:
      break;
  }
  return {"ok", "\033[32m"};
}

std::int64_t count(const std::vector<Finding>& findings, Level level) {
  return std::ranges::count(findings, level, &Finding::level);
}

std::string some(std::int64_t number, const char* what) {
  return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s");
}

}  // namespace

std::string findings_text(const std::vector<Finding>& findings, bool colour) {
  std::size_t width = 0;
  for (const Finding& finding : findings) {
    width = std::max(width, finding.topic.size());
  }
  std::string text;
  for (const Finding& finding : findings) {
    const Word word = word_of(finding.level);
    text += fmt::format("{}{:<7}{}  {:<{}}  {}\n", colour ? word.colour : "", word.text,
                        colour ? "\033[0m" : "", finding.topic, width, finding.what);
    if (!finding.fix.empty()) {
      text += fmt::format("{:{}}fix: {}\n", "", 11 + width, finding.fix);
    }
  }
  return text + fmt::format("\n{}, {}\n", some(count(findings, Level::kProblem), "problem"),
                            some(count(findings, Level::kNote), "note"));
}

std::string findings_json(const std::vector<Finding>& findings) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Finding& finding : findings) {
    nlohmann::ordered_json one = {
        {"level", word_of(finding.level).text}, {"topic", finding.topic}, {"what", finding.what}};
    if (!finding.fix.empty()) {
      one["fix"] = finding.fix;
    }
    list.push_back(std::move(one));
  }
  const nlohmann::ordered_json json = {{"problems", count(findings, Level::kProblem)},
                                       {"notes", count(findings, Level::kNote)},
                                       {"findings", list}};
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace convoy::launcher
