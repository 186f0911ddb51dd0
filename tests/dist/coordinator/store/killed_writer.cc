// killed_writer DATABASE: a coordinator that is told reports of several ranks, as fast as it takes
// them, and writes "RANK SEQUENCE" for each that is on disk, until it is killed.
#include <unistd.h>

#include <semaphore>
#include <thread>
#include <vector>

#include "dist/coordinator/coordinator.h"
#include "tests/dist/coordinator/store/kill_run.h"

namespace {

using namespace convoy;
using namespace convoy::testing;

constexpr std::ptrdiff_t kUnderWay = 1000;  // so that a commit takes long enough to be killed in

void write_line(std::int32_t rank, std::int64_t sequence) {
  const std::string line = fmt::format("{} {}\n", rank, sequence);
  if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) {
    ::_exit(1);
  }
}

void report_for_ever(dist::Coordinator& coordinator, std::int32_t rank) {
  std::counting_semaphore<kUnderWay> free(kUnderWay);
  std::int64_t sequence =
      coordinator.heartbeat(heartbeat(rank), [](const auto&) {}).acknowledged_sequence();
  for (;;) {
    ++sequence;
    free.acquire();
    coordinator.report_progress(report(sequence, step_of(sequence, {rank}), rank),
                                [&free, rank, sequence](const std::exception_ptr& error) {
                                  if (error == nullptr) {
                                    write_line(rank, sequence);
                                  }
                                  free.release();
                                });
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    return 2;
  }
  dist::Coordinator coordinator({.database = argv[1], .limits = kKillLimits});
  coordinator.register_run(kill_run(), [](const auto&) {});
  std::vector<std::thread> ranks;
  for (std::int32_t rank = 0; rank < kKillRanks; ++rank) {
    ranks.emplace_back([&coordinator, rank] { report_for_ever(coordinator, rank); });
  }
  for (std::thread& rank : ranks) {
    rank.join();
  }
}
