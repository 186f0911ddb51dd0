#include "launcher/measured_coordinator.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

#include "core/base/check.h"
#include "dist/coordinator/rpc/server.h"

namespace convoy::launcher {
namespace {

// So that what is measured is the coordinator and not its brake.
constexpr double kCallsPerSecond = 1e9;

constexpr char kServe = 's';
constexpr char kEnd = 'e';

std::string text_of(const std::string& file) {
  std::ifstream stream(file);
  std::ostringstream text;
  text << stream.rdbuf();
  check(stream.good(), "{} cannot be read", file);
  return text.str();
}

// "VmRSS:   1234 kB" in MiB.
double mebibytes(const std::string& status, const std::string& name) {
  const std::size_t at = status.find(name + ":");
  return at == std::string::npos ? 0.0 : std::stod(status.substr(at + name.size() + 1)) / 1024;
}

}  // namespace

ProcessFigures figures_of(pid_t process) {
  const std::string status = text_of(fmt::format("/proc/{}/status", process));
  const std::string stat = text_of(fmt::format("/proc/{}/stat", process));
  // Field 2 is the name in parentheses, and may hold anything; 14 and 15 are user and system time.
  std::istringstream fields(stat.substr(stat.rfind(')') + 1));
  std::string skipped;
  for (int field = 3; field < 14; ++field) {
    fields >> skipped;
  }
  double user = 0.0;
  double system = 0.0;
  fields >> user >> system;
  return {.cpu_seconds = (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK)),
          .memory_mib = mebibytes(status, "VmRSS"),
          .peak_memory_mib = mebibytes(status, "VmHWM")};
}

MeasuredCoordinator::MeasuredCoordinator(const std::filesystem::path& database,
                                         std::optional<int> core)
    : token_(dist::make_token()) {
  check(::pipe2(wish_, O_CLOEXEC) == 0 && ::pipe2(address_, O_CLOEXEC) == 0,
        "the system gives no pipe");
  process_ = ::fork();
  check(process_ >= 0, "the system gives no process");
  if (process_ == 0) {
    run(database, core);
  }
  ::close(wish_[0]);
  ::close(address_[1]);
}

MeasuredCoordinator::~MeasuredCoordinator() {
  // Children that were forked later hold these pipes too, so that closing them says nothing.
  [[maybe_unused]] const ssize_t said = ::write(wish_[1], &kEnd, 1);
  ::waitpid(process_, nullptr, 0);
  ::close(wish_[1]);
  ::close(address_[0]);
}

void MeasuredCoordinator::run(const std::filesystem::path& database, std::optional<int> core) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  char wish = kEnd;
  if (::read(wish_[0], &wish, 1) != 1 || wish == kEnd) {
    ::_exit(0);
  }
  if (core) {
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET(*core, &cores);
    ::sched_setaffinity(0, sizeof cores, &cores);
  }
  try {
    dist::Coordinator coordinator({.database = database});
    dist::CoordinatorServer::Options options{.token = token_};
    options.limits.calls_per_second = kCallsPerSecond;
    const dist::CoordinatorServer server(coordinator, options);
    const std::string line = server.address() + "\n";
    if (::write(address_[1], line.data(), line.size()) > 0) {
      [[maybe_unused]] const ssize_t ended = ::read(wish_[0], &wish, 1);
    }
  } catch (const std::exception& error) {
    std::cerr << fmt::format("convoy: the coordinator to be measured: {}\n", error.what());
  }
  ::_exit(0);
}

dist::Endpoint MeasuredCoordinator::serve() {
  std::string address;
  if (::write(wish_[1], &kServe, 1) == 1) {
    for (char byte = 0; ::read(address_[0], &byte, 1) == 1 && byte != '\n';) {
      address += byte;
    }
  }
  check(!address.empty(), "the coordinator to be measured did not come up");
  return {.address = address, .token = token_};
}

}  // namespace convoy::launcher
