#include "launcher/mpirun_process.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <optional>

#include "core/base/check.h"
#include "core/base/file_descriptor.h"
#include "launcher/notice.h"
#include "launcher/process.h"

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

class Supervisor {
 public:
  explicit Supervisor(const MpirunProcess& process)
      : show_(process.show),
        mpirun_({.argv = process.command,
                 .environment = process.environment,
                 .errors = output_.write.get(),
                 .blocked_signals = &signals_.previous(),
                 .outlives_readers = true}) {  // it warns, and has yet to clean up
    output_.write.close();
    check(mpirun_.failure().empty(), "{} cannot be run: {}", process.command.front(),
          mpirun_.failure());
  }

  MpirunEnd run() {
    std::optional<int> exit_code;
    bool open = true;
    // A daemon that stays behind may hold the pipe open: then one quiet moment is enough.
    while (!exit_code || open) {
      std::array<pollfd, 2> files = {
          pollfd{.fd = open ? output_.read.get() : -1, .events = POLLIN, .revents = 0},
          pollfd{.fd = signals_.file(), .events = POLLIN, .revents = 0}};
      const int ready = poll(files.data(), files.size(), kPollMilliseconds);
      if (ready == 0 && exit_code) {
        break;
      }
      if (files[0].revents != 0) {
        open = pass_on();
      }
      for (int signal = signals_.next(); signal != 0; signal = signals_.next()) {
        take(signal);
      }
      act();
      exit_code = mpirun_.exit_code();
    }
    show_(text_.finish());
    return {.exit_code = *exit_code,
            .pid = mpirun_.pid(),
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
    show_(text_.take({bytes.data(), static_cast<std::size_t>(count)}));
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
      mpirun_.signal(SIGUSR1);
      passed_on_ = true;
    }
    if (urgent_ && !deadline_) {
      mpirun_.signal(SIGTERM);
      deadline_ = Clock::now() + kPatience;
    }
    if (deadline_ && Clock::now() > *deadline_) {
      mpirun_.signal(SIGKILL);
    }
  }

  void say(const char* text) {
    show_(std::string(text_.at_line_start() ? "" : "\n") + text + "\n");
  }

  const std::function<void(const std::string&)>& show_;
  SignalQueue signals_;
  Pipe output_;
  Process mpirun_;
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
