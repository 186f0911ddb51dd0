// The commands around the coordinator in a program that was built without it.
#include "core/base/check.h"
#include "launcher/commands.h"
#include "launcher/doctor_probe.h"

namespace convoy::launcher {
namespace {

[[noreturn]] void refuse(const char* command) {
  fail(
      "this build has no coordinator, so no convoy {}: it was made with -DCONVOY_WITH_GRPC=OFF\n"
      "runs keep their metrics in metrics.jsonl; SIGTERM stops one with a checkpoint",
      command);
}

}  // namespace

int run_status(const StatusOptions&) {
  refuse("status");
}
int run_stop(const StopOptions&) {
  refuse("stop");
}
int run_coordinator(const CoordinatorOptions&) {
  refuse("coordinator");
}
int run_log_level(const LogLevelOptions&) {
  refuse("coordinator log-level");
}
int run_bench_coordinator(const BenchCoordinatorOptions&) {
  refuse("bench coordinator");
}

std::string probe_grpc() {
  return "";
}

}  // namespace convoy::launcher
