#include "launcher/process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <string_view>

#include "core/base/check.h"
#include "core/base/file_descriptor.h"

namespace convoy::launcher {
namespace {

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> result;
  for (std::string& word : words) {
    result.push_back(word.data());
  }
  result.push_back(nullptr);
  return result;
}

std::vector<std::string> environment_with(
    const std::vector<std::pair<std::string, std::string>>& added) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view name =
        std::string_view(*entry).substr(0, std::string_view(*entry).find('='));
    if (std::ranges::none_of(added, [name](const auto& one) { return one.first == name; })) {
      all.emplace_back(*entry);
    }
  }
  for (const auto& [name, value] : added) {
    all.push_back(name + "=" + value);
  }
  return all;
}

void redirect(int from, int to) {
  if (from >= 0) {
    dup2(from, to);
  }
}

// In the new process, between fork and exec: only system calls that may be made there. Tells errno
// through `failure` if the program cannot be run.
[[noreturn]] void become(char* const* argv, char* const* environment, const ProcessOptions& options,
                         const FileDescriptor& failure, pid_t parent) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) {
    _exit(1);  // it died before it was to be heard of
  }
  if (options.blocked_signals != nullptr) {
    sigprocmask(SIG_SETMASK, options.blocked_signals, nullptr);
  }
  if (options.outlives_readers) {
    ::signal(SIGPIPE, SIG_IGN);
  }
  redirect(open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
  redirect(options.output, STDOUT_FILENO);
  redirect(options.errors, STDERR_FILENO);
  execvpe(argv[0], argv, environment);
  const int reason = errno;
  [[maybe_unused]] const auto written = write(failure.get(), &reason, sizeof reason);
  _exit(127);
}

int exit_code_of(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

Process::Process(const ProcessOptions& options) {
  std::vector<std::string> words = options.argv;
  std::vector<std::string> variables = environment_with(options.environment);
  const std::vector<char*> argv = pointers(words);
  const std::vector<char*> environment = pointers(variables);
  Pipe failure;
  const pid_t parent = getpid();
  pid_ = fork();
  check(pid_ >= 0, "no process for {}: {}", words.front(), system_reason());
  if (pid_ == 0) {
    become(argv.data(), environment.data(), options, failure.write, parent);
  }
  setpgid(pid_, pid_);  // whoever is first: signal_group() works from now on
  failure.write.close();
  ssize_t count = 0;
  int reason = 0;
  do {
    count = read(failure.read.get(), &reason, sizeof reason);
  } while (count < 0 && errno == EINTR);
  if (count == sizeof reason) {
    errno = reason;
    failure_ = system_reason();
  }
}

std::optional<int> Process::exit_code() {
  if (int status = 0; !exit_code_ && waitpid(pid_, &status, WNOHANG) == pid_) {
    exit_code_ = exit_code_of(status);
  }
  return exit_code_;
}

void Process::signal(int number) const {
  if (!exit_code_) {
    kill(pid_, number);
  }
}

void Process::signal_group(int number) const {
  kill(-pid_, number);
}

}  // namespace convoy::launcher
