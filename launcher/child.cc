#include "launcher/child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "core/base/check.h"
#include "launcher/file_descriptor.h"

namespace convoy::launcher {
namespace {

using Clock = std::chrono::steady_clock;
namespace fs = std::filesystem;

constexpr std::size_t kMaxOutputBytes = std::size_t{1} << 20;
constexpr auto kMercy = std::chrono::seconds(2);
constexpr int kNotStarted = 127;

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) {
    result.push_back(text.data());
  }
  result.push_back(nullptr);
  return result;
}

std::vector<std::string> environment_of(const Child& child) {
  std::vector<std::string> result;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    result.emplace_back(*variable);
  }
  for (const auto& variable : child.environment) {
    const std::string name = variable.first + "=";
    std::erase_if(result, [&](const std::string& set) { return set.starts_with(name); });
    result.push_back(name + variable.second);
  }
  return result;
}

// In the new process, between fork and exec: system calls only.
[[noreturn]] void become(char* const* argv, char* const* environment, int output, int errors) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  const int null = open("/dev/null", O_RDONLY);
  dup2(null, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(errors, STDERR_FILENO);
  execvpe(argv[0], argv, environment);
  _exit(kNotStarted);
}

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

int exit_code_of(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

ChildResult run_child(const Child& child) {
  std::vector<std::string> arguments = child.argv;
  std::vector<std::string> variables = environment_of(child);
  const std::vector<char*> argv = pointers(arguments);
  const std::vector<char*> environment = pointers(variables);
  Pipe output;
  Pipe errors;
  const pid_t pid = fork();
  check(pid >= 0, "{} cannot be started: {}", child.argv.front(), system_reason());
  if (pid == 0) {
    become(argv.data(), environment.data(), output.write.get(), errors.write.get());
  }
  output.write.close();
  errors.write.close();

  ChildResult result;
  const auto deadline = Clock::now() + child.deadline;
  bool killed = false;
  int status = 0;
  // Over when the program has ended: something that it left behind may hold the pipes open.
  for (bool ended = false; !ended;) {
    ended = waitpid(pid, &status, WNOHANG) == pid;
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
      kill(-pid, SIGTERM);
    }
    if (!ended && Clock::now() > deadline + kMercy && !killed) {
      killed = true;
      kill(-pid, SIGKILL);
    }
  }
  if (result.timed_out) {
    kill(-pid, SIGKILL);  // what it started and did not end
  }
  result.exit_code = exit_code_of(status);
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
