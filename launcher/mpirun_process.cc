#include "launcher/mpirun_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <optional>

#include "core/base/check.h"
#include "launcher/file_descriptor.h"
#include "launcher/notice.h"

namespace convoy::launcher {
namespace {

using Clock = std::chrono::steady_clock;

// mpirun needs about two seconds after SIGTERM; longer than this it has lost its way.
constexpr auto kPatience = std::chrono::seconds(10);
constexpr int kPollMilliseconds = 250;

// While one lives, these signals come as data instead.
class SignalQueue {
 public:
  SignalQueue() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGINT, SIGTERM, SIGUSR1, SIGCHLD}) {
      sigaddset(&set, signal);
    }
    sigprocmask(SIG_BLOCK, &set, &previous_);
    file_ = FileDescriptor(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    check(static_cast<bool>(file_), "no signalfd: {}", system_reason());
  }
  ~SignalQueue() { sigprocmask(SIG_SETMASK, &previous_, nullptr); }
  SignalQueue(const SignalQueue&) = delete;
  SignalQueue& operator=(const SignalQueue&) = delete;

  int file() const { return file_.get(); }
  const sigset_t& previous() const { return previous_; }
  /// 0: none.
  int next() {
    signalfd_siginfo info = {};
    return read(file_.get(), &info, sizeof info) == sizeof info ? static_cast<int>(info.ssi_signo)
                                                                : 0;
  }

 private:
  sigset_t previous_ = {};
  FileDescriptor file_;
};

// In the child: only what may be called after fork. Tells the reason through `failure` if the
// program cannot be run.
[[noreturn]] void become(char* const* argv, char* const* envp, const Pipe& output,
                         const Pipe& failure, const sigset_t& signals, pid_t parent) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) {
    _exit(1);
  }
  sigprocmask(SIG_SETMASK, &signals, nullptr);
  const int nothing = open("/dev/null", O_RDONLY);
  dup2(nothing, STDIN_FILENO);
  dup2(output.write.get(), STDERR_FILENO);
  execve(argv[0], argv, envp);
  const int reason = errno;
  [[maybe_unused]] const auto written = write(failure.write.get(), &reason, sizeof reason);
  _exit(127);
}

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

class Supervisor {
 public:
  explicit Supervisor(const MpirunProcess& process) : process_(process) {
    std::vector<std::string> words = process.command;
    std::vector<std::string> environment = environment_with(process.environment);
    const std::vector<char*> argv = pointers(words);
    const std::vector<char*> envp = pointers(environment);
    Pipe failure;
    const pid_t parent = getpid();
    pid_ = fork();
    check(pid_ >= 0, "no process for {}: {}", words.front(), system_reason());
    if (pid_ == 0) {
      become(argv.data(), envp.data(), output_, failure, signals_.previous(), parent);
    }
    output_.write.close();
    failure.write.close();
    if (int reason = 0; read(failure.read.get(), &reason, sizeof reason) == sizeof reason) {
      waitpid(pid_, nullptr, 0);
      errno = reason;
      fail("{} cannot be run: {}", words.front(), system_reason());
    }
  }

  MpirunEnd run() {
    std::optional<int> status;
    bool open = true;
    // A daemon that stays behind may hold the pipe open: then one quiet moment is enough.
    while (!status || open) {
      std::array<pollfd, 2> files = {
          pollfd{.fd = open ? output_.read.get() : -1, .events = POLLIN, .revents = 0},
          pollfd{.fd = signals_.file(), .events = POLLIN, .revents = 0}};
      const int ready = poll(files.data(), files.size(), kPollMilliseconds);
      if (ready == 0 && status) {
        break;
      }
      if (files[0].revents != 0) {
        open = pass_on();
      }
      for (int signal = signals_.next(); signal != 0; signal = signals_.next()) {
        take(signal);
      }
      act();
      if (int now = 0; !status && waitpid(pid_, &now, WNOHANG) == pid_) {
        status = now;
      }
    }
    process_.show(text_.finish());
    return {.exit_code = WIFEXITED(*status) ? WEXITSTATUS(*status) : 128 + WTERMSIG(*status),
            .pid = pid_,
            .report = text_.report(),
            .interrupted = urgent_};
  }

 private:
  // Shows what mpirun has written; false at its end.
  bool pass_on() {
    std::array<char, 64 * 1024> bytes = {};
    const ssize_t count = read(output_.read.get(), bytes.data(), bytes.size());
    if (count <= 0) {
      return count < 0 && errno == EINTR;
    }
    process_.show(text_.take({bytes.data(), static_cast<std::size_t>(count)}));
    return true;
  }

  void take(int signal) {
    if (signal == SIGCHLD) {
      return;
    }
    if (wanted_ && signal != SIGUSR1) {
      urgent_ = true;
      return;
    }
    if (!wanted_) {
      say("stopping after this step, with a checkpoint; Ctrl-C again ends it at once");
    }
    wanted_ = true;
  }

  // Does what signals asked for, when its time has come.
  void act() {
    if (wanted_ && !passed_on_ && text_.report().has(kJoined)) {
      kill(pid_, SIGUSR1);
      passed_on_ = true;
    }
    if (urgent_ && !deadline_) {
      kill(pid_, SIGTERM);
      deadline_ = Clock::now() + kPatience;
    }
    if (deadline_ && Clock::now() > *deadline_) {
      kill(pid_, SIGKILL);
    }
  }

  void say(const char* text) {
    process_.show(std::string(text_.at_line_start() ? "" : "\n") + text + "\n");
  }

  const MpirunProcess& process_;
  SignalQueue signals_;
  Pipe output_;
  pid_t pid_ = -1;
  MpirunOutput text_;
  bool wanted_ = false;     // a stop
  bool passed_on_ = false;  // to the ranks
  bool urgent_ = false;     // a stop at once
  std::optional<Clock::time_point> deadline_;
};

}  // namespace

MpirunEnd run_mpirun(const MpirunProcess& process) {
  return Supervisor(process).run();
}

}  // namespace convoy::launcher
