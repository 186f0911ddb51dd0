// --config FILE: the flags of a command as lines of TOML or INI.
#include <CLI/Config.hpp>
#include <CLI/ConfigFwd.hpp>
#include <fstream>
#include <sstream>

#include "core/base/nearest.h"
#include "core/base/printable.h"
#include "launcher/flags.h"

namespace convoy::launcher {
namespace {

constexpr std::size_t kMaxConfigBytes = std::size_t{1} << 20;

std::istringstream read_text(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::string text(kMaxConfigBytes + 1, '\0');
  if (!in || !in.read(text.data(), static_cast<std::streamsize>(text.size())).eof()) {
    throw UsageError(in ? fmt::format("longer than {} bytes", kMaxConfigBytes) : "cannot be read");
  }
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.find('\0') != text.npos) {
    throw UsageError("is not text");
  }
  return std::istringstream(text);
}

}  // namespace

std::vector<std::string> read_config_arguments(const std::filesystem::path& file,
                                               const std::string& command,
                                               std::span<const std::string> commands) {
  std::istringstream text = read_text(file);
  std::vector<std::string> arguments;
  for (const CLI::ConfigItem& item : CLI::ConfigTOML().from_config(text)) {
    // CLI11 marks where a section begins and ends with items of these names.
    const bool mark = item.name == "++" || item.name == "--";
    const std::string section = item.parents.empty() ? command : item.parents.front();
    if (std::ranges::find(commands, section) == commands.end()) {
      throw UsageError(fmt::format("unknown section {}{}; known are {}", printable(section),
                                   did_you_mean(section, commands), fmt::join(commands, ", ")));
    }
    if (mark || section != command) {
      continue;
    }
    if (item.name == "config" || item.name == "help") {
      throw UsageError(fmt::format("{} cannot be set in a file", item.name));
    }
    if (item.parents.size() > 1 || item.inputs.size() != 1) {
      throw UsageError(
          fmt::format("{} must be one value, as in epochs = 5", printable(item.fullname())));
    }
    arguments.push_back(fmt::format("--{}={}", item.name, item.inputs.front()));
  }
  return arguments;
}

}  // namespace convoy::launcher
