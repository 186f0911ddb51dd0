#include "launcher/control_group.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>

namespace convoy::launcher {
namespace {

namespace fs = std::filesystem;

// "max" and -1 are no number or none that limits.
std::optional<double> read_positive(std::istream& in) {
  double number = 0.0;
  return in >> number && number > 0 ? std::optional(number) : std::nullopt;
}

std::optional<double> read_positive(const fs::path& file) {
  std::ifstream in(file);
  return read_positive(in);
}

template <typename Number>
void lower(std::optional<Number>& limit, std::optional<double> found) {
  // Version 1 says "no limit" with a number that no machine reaches.
  if (found && *found < 0x1p60) {
    limit = std::min(limit.value_or(static_cast<Number>(*found)), static_cast<Number>(*found));
  }
}

std::optional<double> ratio(std::optional<double> quota, std::optional<double> period) {
  return quota && period ? std::optional(*quota / *period) : std::nullopt;
}

void read_limits(const fs::path& directory, GroupLimits& limits) {
  std::ifstream cpu(directory / "cpu.max");
  const std::optional<double> quota = read_positive(cpu);
  lower(limits.cores, ratio(quota, read_positive(cpu)));
  lower(limits.cores, ratio(read_positive(directory / "cpu.cfs_quota_us"),
                            read_positive(directory / "cpu.cfs_period_us")));
  lower(limits.memory_bytes, read_positive(directory / "memory.max"));
  lower(limits.memory_bytes, read_positive(directory / "memory.limit_in_bytes"));
}

}  // namespace

GroupLimits group_limits(std::string_view groups, const fs::path& mount) {
  GroupLimits limits;
  std::istringstream lines{std::string(groups)};
  for (std::string line; std::getline(lines, line);) {  // NUMBER:CONTROLLERS:PATH
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) {
      continue;
    }
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const fs::path root = controllers.empty() ? mount : mount / controllers;
    fs::path group = fs::path(line.substr(second + 1)).relative_path();
    // A container often sees its own group at the root, whatever the path says.
    for (;; group = group.parent_path()) {
      read_limits(root / group, limits);
      if (group.empty()) {
        break;
      }
    }
  }
  return limits;
}

}  // namespace convoy::launcher
