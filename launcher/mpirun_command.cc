#include "launcher/mpirun_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <sstream>

namespace convoy::launcher {
namespace {

using Words = std::vector<std::string>;

constexpr std::string_view kUnquoted =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./:=,+@%";

std::string shell_word(const std::string& word) {
  if (!word.empty() && word.find_first_not_of(kUnquoted) == word.npos) {
    return word;
  }
  std::string quoted;
  for (const char letter : word) {
    if (letter == '\'') {
      quoted += "'\\''";
    } else {
      quoted += letter;
    }
  }
  return fmt::format("'{}'", quoted);
}

// The number after "slots=" or "slots =" on a line.
std::optional<int> slots_of(std::string_view line) {
  constexpr std::string_view kKey = " slots";
  const std::size_t key = line.find(kKey);
  if (key == line.npos) {
    return {};
  }
  line.remove_prefix(key + kKey.size());
  line.remove_prefix(std::min(line.find_first_not_of(" \t="), line.size()));
  int slots = 0;
  const bool read = std::from_chars(line.begin(), line.end(), slots).ec == std::errc();
  return read && slots >= 0 ? std::optional(slots) : std::nullopt;
}

}  // namespace

Words mpirun_command(const MpirunOptions& options, const Environment& environment) {
  Words command = {options.mpirun.string()};
  const auto add = [&command](std::initializer_list<std::string> words) {
    command.insert(command.end(), words);
  };
  const auto is_set = [&environment](const std::string& parameter) {
    return environment(("OMPI_MCA_" + parameter).c_str()) != nullptr;
  };
  const auto add_parameter = [&](const std::string& name, const std::string& value) {
    if (!is_set(name)) {
      add({"--mca", name, value});
    }
  };
  if (options.root) {
    add({"--allow-run-as-root"});
  }
  add({"-n", std::to_string(options.ranks)});
  if (!options.hostfile.empty()) {
    add({"--hostfile", options.hostfile.string()});
  }
  if (options.oversubscribed) {
    add({"--oversubscribe"});
    add_parameter("mpi_yield_when_idle", "1");
  }
  if (!is_set("hwloc_base_binding_policy") && !is_set("rmaps_base_mapping_policy")) {
    add({"--bind-to", "none"});
  }
  if (options.many_hosts) {
    add_parameter("oob_tcp_keepalive_time", "2");
    add_parameter("oob_tcp_keepalive_intvl", "1");
    add_parameter("oob_tcp_keepalive_probes", "3");
    for (const std::string& name : options.exported) {
      add({"-x", name});
    }
  }
  add({options.program.string()});
  command.insert(command.end(), options.arguments.begin(), options.arguments.end());
  return command;
}

Words words_for_ranks(const Words& words) {
  Words kept;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    const std::string name = word.substr(0, word.find('='));
    const bool takes_value = name == "-n" || name == "--ranks" || name == "--hostfile";
    if (takes_value) {
      i += name == word ? 1 : 0;  // its value is the next word
    } else if (name != "--dry-run") {
      kept.push_back(word);
    }
  }
  return kept;
}

std::string shell_line(const Words& command) {
  std::string line;
  for (const std::string& word : command) {
    line += fmt::format("{}{}", line.empty() ? "" : " ", shell_word(word));
  }
  return line;
}

std::optional<int> hostfile_slots(std::string_view text) {
  std::istringstream lines{std::string(text)};
  std::int64_t sum = 0;
  for (std::string line; std::getline(lines, line);) {
    line = line.substr(0, line.find('#'));
    if (line.find_first_not_of(" \t\r") == line.npos) {
      continue;
    }
    std::ranges::replace(line, '\t', ' ');
    const std::optional<int> slots = slots_of(line);
    if (!slots) {
      return {};
    }
    sum += *slots;
  }
  return static_cast<int>(std::min<std::int64_t>(sum, 1 << 30));
}

}  // namespace convoy::launcher
