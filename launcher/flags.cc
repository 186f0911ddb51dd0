#include "launcher/flags.h"

#include <CLI/App.hpp>
#include <charconv>

#include "core/base/nearest.h"
#include "core/base/printable.h"
#include "launcher/rule.h"

namespace convoy::launcher {
namespace {

// Reads all of `text` as a number, or nothing.
template <typename Number>
std::optional<Number> whole_text(const std::string& text) {
  Number number{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stop == end ? std::optional(number) : std::nullopt;
}

}  // namespace

void add_value(CLI::App& app, const Flag& flag,
               const std::function<void(const std::string&)>& take) {
  // Of a flag that is given again, the last counts: so the command line wins over --config.
  app.add_option_function<std::string>(flag.name, take, flag.help)
      ->type_name(flag.value)
      ->group(flag.group)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

void add_path(CLI::App& app, const Flag& flag, std::filesystem::path& target) {
  add_value(app, flag, [&target](const std::string& text) { target = text; });
}

void add_switch(CLI::App& app, const Flag& flag, std::function<void(bool)> take) {
  app.add_flag_function(
         flag.name, [take = std::move(take)](std::int64_t value) { take(value > 0); }, flag.help)
      ->group(flag.group)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

std::int64_t parse_whole(const std::string& name, const std::string& text, const v1::Rule& rule) {
  const auto number = whole_text<std::int64_t>(text);
  if (!number || !accepts(rule, static_cast<double>(*number))) {
    throw UsageError(
        fmt::format("{} {}: must be a whole number, {}", name, printable(text), range_text(rule)));
  }
  return *number;
}

double parse_number(const std::string& name, const std::string& text, const v1::Rule& rule) {
  const auto number = whole_text<double>(text);
  if (!number || !accepts(rule, *number)) {
    throw UsageError(
        fmt::format("{} {}: must be a number, {}", name, printable(text), range_text(rule)));
  }
  return *number;
}

std::size_t parse_word(const std::string& name, const std::string& text,
                       std::span<const std::string> words) {
  const auto found = std::ranges::find(words, text);
  if (found == words.end()) {
    throw UsageError(fmt::format("{} {}: must be one of {}{}", name, printable(text),
                                 fmt::join(words, ", "), did_you_mean(text, words)));
  }
  return static_cast<std::size_t>(found - words.begin());
}

v1::Rule range(double min, double max) {
  v1::Rule rule;
  rule.set_min(min);
  rule.set_max(max);
  return rule;
}

}  // namespace convoy::launcher
