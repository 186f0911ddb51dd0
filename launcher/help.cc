#include <CLI/App.hpp>

#include <fmt/format.h>

#include "launcher/help.h"

namespace convoy::launcher {
namespace {

constexpr int kNameWidth = 24;

std::string names_of(const CLI::Option& option) {
  if (option.get_positional()) {
    return option.get_name();
  }
  std::string names;
  for (const std::string& letter : option.get_snames()) {
    names += fmt::format("-{}, ", letter);
  }
  for (const std::string& name : option.get_lnames()) {
    names += fmt::format("--{}, ", name);
  }
  names.resize(names.size() - 2);
  const std::string value = option.get_items_expected_max() > 0 ? option.get_type_name() : "";
  return value.empty() ? names : fmt::format("{} {}", names, value);
}

std::string usage_of(const CLI::App& app) {
  std::string usage = "Usage: " + app.get_name();
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional()) {
      usage += option->get_required() ? fmt::format(" {}", option->get_name())
                                      : fmt::format(" [{}]", option->get_name());
    }
  }
  return usage + " [options]\n";
}

std::string section(const CLI::App& app, const std::string& heading, bool positionals) {
  std::string lines;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional() == positionals &&
        (positionals || option->get_group() == heading)) {
      lines +=
          fmt::format("  {:<{}}  {}\n", names_of(*option), kNameWidth, option->get_description());
    }
  }
  return lines.empty() ? "" : fmt::format("\n{}:\n{}", heading, lines);
}

}  // namespace

std::string HelpFormatter::make_help(const CLI::App* app, std::string /*name*/,
                                     CLI::AppFormatMode /*mode*/) const {
  std::string text = app->get_description() + "\n\n" + usage_of(*app);
  text += section(*app, "Arguments", true);
  std::vector<std::string> headings;
  for (const CLI::Option* option : app->get_options()) {
    const std::string& heading = option->get_group();
    if (!option->get_positional() && std::ranges::find(headings, heading) == headings.end()) {
      headings.push_back(heading);
      text += section(*app, heading, false);
    }
  }
  return text + "\n" + app->get_footer();
}

}  // namespace convoy::launcher
