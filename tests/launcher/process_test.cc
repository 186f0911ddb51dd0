#include "launcher/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <set>
#include <sstream>
#include <thread>

#include "core/base/file_descriptor.h"

namespace convoy::launcher {
namespace {

int wait_for(Process& process) {
  while (!process.exit_code()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return *process.exit_code();
}

// What a program prints.
std::string output_of(const std::vector<std::string>& argv,
                      const sigset_t* blocked_signals = nullptr) {
  Pipe pipe;
  Process process({.argv = argv, .output = pipe.write.get(), .blocked_signals = blocked_signals});
  pipe.write.close();
  std::string text;
  std::array<char, 256> bytes{};
  for (ssize_t count = 0; (count = read(pipe.read.get(), bytes.data(), bytes.size())) > 0;) {
    text.append(bytes.data(), static_cast<std::size_t>(count));
  }
  EXPECT_EQ(wait_for(process), 0);
  return text;
}

TEST(ProcessTest, ExitCodesAndSignalsAreToldApart) {
  Process seven({.argv = {"sh", "-c", "exit 7"}});
  EXPECT_EQ(seven.failure(), "");
  EXPECT_EQ(wait_for(seven), 7);
  Process sleeper({.argv = {"sleep", "60"}});
  EXPECT_EQ(sleeper.exit_code(), std::nullopt);
  sleeper.signal(SIGINT);
  EXPECT_EQ(wait_for(sleeper), 128 + SIGINT);
}

TEST(ProcessTest, AProgramMayOutliveTheReadersOfItsOutput) {
  for (const bool outlives : {false, true}) {
    Pipe pipe;
    Process process({.argv = {"sh", "-c", "sleep 0.1; echo unread; exit 7"},
                     .output = pipe.write.get(),
                     .errors = pipe.write.get(),
                     .outlives_readers = outlives});
    pipe.write.close();
    pipe.read.close();
    EXPECT_EQ(wait_for(process), outlives ? 7 : 128 + SIGPIPE);
  }
}

TEST(ProcessTest, AProgramThatCannotBeRunIsKnownAtOnce) {
  Process none({.argv = {"/no/such/program"}});
  EXPECT_EQ(none.failure(), "No such file or directory");
  EXPECT_EQ(wait_for(none), 127);
  Process denied({.argv = {"/etc/passwd"}});
  EXPECT_EQ(denied.failure(), "Permission denied");
  EXPECT_EQ(wait_for(denied), 127);
}

TEST(ProcessTest, ItHasAGroupOfItsOwnAndNoStandardInput) {
  EXPECT_EQ(output_of({"sh", "-c", "cat; [ $(ps -o pgid= -p $$) = $$ ] && echo leader"}),
            "leader\n");
}

// What whoever started the test leaves open is not our doing.
TEST(ProcessTest, ItInheritsNoMoreFilesThanWereHandedOn) {
  std::set<std::string> expected = {"0", "1", "2"};
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    const std::string name = entry.path().filename().string();
    const int flags = fcntl(std::stoi(name), F_GETFD);
    if (flags >= 0 && (flags & FD_CLOEXEC) == 0) {
      expected.insert(name);
    }
  }
  const Pipe ours;
  std::istringstream files(output_of({"sh", "-c", "ls /proc/$$/fd; true"}));
  std::set<std::string> found;
  for (std::string name; files >> name;) {
    found.insert(name);
  }
  EXPECT_EQ(found, expected);
}

TEST(ProcessTest, ItsBlockedSignalsAreThoseThatWereAskedFor) {
  sigset_t none;
  sigemptyset(&none);
  sigset_t some = none;
  sigset_t before;
  sigaddset(&some, SIGUSR1);
  sigprocmask(SIG_BLOCK, &some, &before);
  const std::vector<std::string> look = {"grep", "SigBlk", "/proc/self/status"};
  const std::string inherited = output_of(look);
  const std::string asked_for = output_of(look, &none);
  sigprocmask(SIG_SETMASK, &before, nullptr);
  EXPECT_EQ(inherited, "SigBlk:\t0000000000000200\n");
  EXPECT_EQ(asked_for, "SigBlk:\t0000000000000000\n");
}

TEST(ProcessTest, ItEndsWithTheProcessThatStartedIt) {
  Pipe pipe;
  const pid_t middle = fork();
  if (middle == 0) {
    // This one dies, and with it what it has started: the pipe's last writer.
    const Process sleeper({.argv = {"sleep", "60"}, .output = pipe.write.get()});
    _exit(0);
  }
  pipe.write.close();
  char byte = 0;
  EXPECT_EQ(read(pipe.read.get(), &byte, 1), 0);
  waitpid(middle, nullptr, 0);
}

}  // namespace
}  // namespace convoy::launcher
