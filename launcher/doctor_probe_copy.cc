// Whether one process may copy from another's memory.
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/base/file_descriptor.h"
#include "launcher/doctor_probe.h"

namespace convoy::launcher {
namespace {

constexpr int kValue = 42;

// In a child, so only system calls: reads `value` of its sibling; exits with errno, or 0.
[[noreturn]] void read_sibling(pid_t sibling, const int* value) {
  int copy = 0;
  iovec here = {.iov_base = &copy, .iov_len = sizeof copy};
  iovec there = {.iov_base = const_cast<int*>(value), .iov_len = sizeof *value};
  const ssize_t count = process_vm_readv(sibling, &here, 1, &there, 1, 0);
  _exit(count == static_cast<ssize_t>(sizeof copy) && copy == kValue ? 0 : errno);
}

}  // namespace

std::string copy_refusal() {
  int value = kValue;
  int ready[2] = {};
  if (pipe(ready) != 0) {
    return system_reason();
  }
  const FileDescriptor readable(ready[0]);
  FileDescriptor writable(ready[1]);
  const pid_t sibling = fork();
  if (sibling == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);  // as Open MPI's ranks do
    _exit(write(ready[1], "r", 1) == 1 && pause() == 0 ? 0 : 1);
  }
  writable.close();
  char byte = 0;
  const bool is_ready = sibling > 0 && read(readable.get(), &byte, 1) == 1;
  const pid_t reader = is_ready ? fork() : -1;
  if (reader == 0) {
    read_sibling(sibling, &value);
  }
  int status = 0;
  const bool done = reader > 0 && waitpid(reader, &status, 0) == reader && WIFEXITED(status);
  if (sibling > 0) {
    kill(sibling, SIGKILL);
    waitpid(sibling, nullptr, 0);
  }
  if (!done) {
    return "the test could not be made";
  }
  return WEXITSTATUS(status) == 0 ? "" : std::strerror(WEXITSTATUS(status));
}

}  // namespace convoy::launcher
