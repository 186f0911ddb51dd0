#include "launcher/child.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "core/base/file_descriptor.h"
#include "launcher/process.h"

namespace convoy::launcher {
namespace {

using Clock = std::chrono::steady_clock;
namespace fs = std::filesystem;

constexpr std::size_t kMaxOutputBytes = std::size_t{1} << 20;
constexpr auto kMercy = std::chrono::seconds(2);

// Reads what is there; closes the end at its end.
void drain(FileDescriptor& end, std::string& text) {
  std::array<char, 4096> bytes{};
  const ssize_t count = read(end.get(), bytes.data(), bytes.size());
  if (count > 0) {
    const auto room = kMaxOutputBytes - text.size();
    text.append(bytes.data(), std::min(room, static_cast<std::size_t>(count)));
  } else if (count == 0 || errno != EINTR) {
    end.close();
  }
}

}  // namespace

ChildResult run_child(const Child& child) {
  Pipe output;
  Pipe errors;
  Process process({.argv = child.argv,
                   .environment = child.environment,
                   .output = output.write.get(),
                   .errors = errors.write.get()});
  output.write.close();
  errors.write.close();

  ChildResult result;
  const auto deadline = Clock::now() + child.deadline;
  bool killed = false;
  // Over when the program has ended: something that it left behind may hold the pipes open.
  for (bool ended = false; !ended;) {
    ended = process.exit_code().has_value();
    std::array<pollfd, 2> ends = {pollfd{output.read.get(), POLLIN, 0},
                                  pollfd{errors.read.get(), POLLIN, 0}};
    while (poll(ends.data(), ends.size(), ended ? 0 : 10) > 0) {
      if (ends[0].revents != 0) {
        drain(output.read, result.output);
      }
      if (ends[1].revents != 0) {
        drain(errors.read, result.errors);
      }
      ends = {pollfd{output.read.get(), POLLIN, 0}, pollfd{errors.read.get(), POLLIN, 0}};
      if (Clock::now() > deadline) {
        break;
      }
    }
    if (!ended && Clock::now() > deadline && !result.timed_out) {
      result.timed_out = true;
      process.signal_group(SIGTERM);
    }
    if (!ended && Clock::now() > deadline + kMercy && !killed) {
      killed = true;
      process.signal_group(SIGKILL);
    }
  }
  if (result.timed_out) {
    process.signal_group(SIGKILL);  // what it started and did not end
  }
  result.exit_code = process.exit_code().value();
  return result;
}

std::string own_program() {
  return fs::read_symlink("/proc/self/exe").string();
}

std::string find_program(const std::string& name) {
  const auto is_program = [](const fs::path& file) {
    return access(file.c_str(), X_OK) == 0 && fs::is_regular_file(file);
  };
  if (name.find('/') != std::string::npos) {
    return is_program(name) ? name : "";
  }
  const char* path = std::getenv("PATH");
  std::istringstream directories(path == nullptr ? "" : path);
  for (std::string directory; std::getline(directories, directory, ':');) {
    const fs::path file = fs::path(directory.empty() ? "." : directory) / name;
    if (is_program(file)) {
      return file.string();
    }
  }
  return "";
}

std::string find_mpirun() {
  const char* chosen = std::getenv("CONVOY_MPIRUN");
  return find_program(chosen != nullptr && *chosen != '\0' ? chosen : "mpirun");
}

}  // namespace convoy::launcher
