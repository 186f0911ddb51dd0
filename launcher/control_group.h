// What the control groups of this process (a container, a Slurm job, a systemd service) let it use;
// versions 1 and 2, `man 7 cgroups`.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

namespace convoy::launcher {

struct GroupLimits {
  std::optional<double> cores = {};
  std::optional<std::int64_t> memory_bytes = {};
};

/// The smallest limits on the way from this process's groups up to the root. `groups` is the text
/// of /proc/self/cgroup, `mount` where the hierarchies are. What is not there limits nothing.
GroupLimits group_limits(std::string_view groups,
                         const std::filesystem::path& mount = "/sys/fs/cgroup");

}  // namespace convoy::launcher
