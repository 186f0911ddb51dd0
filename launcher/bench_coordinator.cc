// `convoy bench coordinator`: made-up workers report to a coordinator in another process.
#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "core/base/check.h"
#include "core/base/printable.h"
#include "dist/coordinator/rpc/load.h"
#include "launcher/commands.h"
#include "launcher/exit_codes.h"
#include "launcher/measured_coordinator.h"
#include "launcher/workplace.h"

namespace convoy::launcher {
namespace {

constexpr int kReportsPerLongCall = 100;

// A phase is paced, or else each worker reports again as soon as it is answered.
struct Phase {
  int workers = 1;
  bool paced = true;
  int reports_per_call = 1;

  std::string name() const {
    if (paced) {
      return "once a second";
    }
    return reports_per_call == 1 ? "at once, by one"
                                 : fmt::format("at once, by {}", reports_per_call);
  }
};

struct Row {
  Phase phase = {};
  dist::LoadResult result = {};
  std::optional<double> cpu_share = {};  // of one core; none for a coordinator elsewhere
  std::optional<double> memory_mib = {};
};

// The last core is for the coordinator; this process, and threads that it starts later, keep off
// it. None where there is but one.
std::optional<int> divide_cores() {
  cpu_set_t cores;
  if (::sched_getaffinity(0, sizeof cores, &cores) != 0 || CPU_COUNT(&cores) < 2) {
    return std::nullopt;
  }
  int last = CPU_SETSIZE - 1;
  while (!CPU_ISSET(last, &cores)) {
    --last;
  }
  CPU_CLR(last, &cores);
  ::sched_setaffinity(0, sizeof cores, &cores);
  return last;
}

std::vector<Phase> phases_of(const BenchCoordinatorOptions& options) {
  std::vector<Phase> phases;
  for (const int workers : options.workers) {
    phases.push_back({.workers = workers});
  }
  const int most = options.workers.back();
  phases.push_back({.workers = most, .paced = false});
  phases.push_back({.workers = most, .paced = false, .reports_per_call = kReportsPerLongCall});
  return phases;
}

Row measure(const Phase& phase, const BenchCoordinatorOptions& options,
            const dist::Endpoint& endpoint, const MeasuredCoordinator* coordinator, int number) {
  dist::Load load{.endpoint = endpoint,
                  .run = fmt::format("bench-{}-{}", ::getpid(), number),
                  .workers = phase.workers,
                  .reports_per_call = phase.reports_per_call,
                  .duration = std::chrono::seconds(options.seconds)};
  if (!phase.paced) {
    load.period = std::chrono::milliseconds(0);
  }
  Row row{.phase = phase, .result = dist::generate_load(load)};
  if (coordinator != nullptr) {
    const ProcessFigures figures = figures_of(coordinator->process());
    // Registering is counted in: it is little.
    row.cpu_share = figures.cpu_seconds / options.seconds;
    row.memory_mib = figures.peak_memory_mib;
  }
  return row;
}

std::string text_of(const std::vector<Row>& rows) {
  std::string text = fmt::format("{:>7}  {:<16}  {:>9}  {:>8}  {:>8}  {:>8}  {:>6}  {:>7}  {:>6}\n",
                                 "workers", "each reports", "reports/s", "p50 ms", "p99 ms",
                                 "max ms", "CPU", "memory", "failed");
  for (const Row& row : rows) {
    text += fmt::format(
        "{:>7}  {:<16}  {:>9.0f}  {:>8.2f}  {:>8.2f}  {:>8.2f}  {:>6}  {:>7}  {:>6}\n",
        row.phase.workers, row.phase.name(), row.result.reports_per_second, row.result.p50_ms,
        row.result.p99_ms, row.result.max_ms,
        row.cpu_share ? fmt::format("{:.0f} %", 100 * *row.cpu_share) : "-",
        row.memory_mib ? fmt::format("{:.0f} MiB", *row.memory_mib) : "-", row.result.failed);
  }
  for (const Row& row : rows) {
    for (const auto& [code, failure] : row.result.failures) {
      text += fmt::format("{} workers, each {}: {} calls failed with {}: {}\n", row.phase.workers,
                          row.phase.name(), failure.calls, code, printable(failure.example));
    }
  }
  return text;
}

std::string json_of(const std::vector<Row>& rows) {
  nlohmann::ordered_json phases = nlohmann::ordered_json::array();
  for (const Row& row : rows) {
    nlohmann::ordered_json phase = {{"workers", row.phase.workers},
                                    {"paced", row.phase.paced},
                                    {"reports_per_call", row.phase.reports_per_call},
                                    {"reports_per_second", row.result.reports_per_second},
                                    {"p50_ms", row.result.p50_ms},
                                    {"p99_ms", row.result.p99_ms},
                                    {"max_ms", row.result.max_ms},
                                    {"calls", row.result.calls},
                                    {"failed", row.result.failed}};
    for (const auto& [code, failure] : row.result.failures) {
      phase["failures"][code] = {{"calls", failure.calls}, {"example", failure.example}};
    }
    if (row.cpu_share) {
      phase["coordinator_cpu_cores"] = *row.cpu_share;
      phase["coordinator_memory_mib"] = *row.memory_mib;
    }
    phases.push_back(std::move(phase));
  }
  return nlohmann::ordered_json{{"phases", std::move(phases)}}.dump();
}

}  // namespace

int run_bench_coordinator(const BenchCoordinatorOptions& options) {
  const Workplace workplace;
  const std::vector<Phase> phases = phases_of(options);
  std::vector<std::unique_ptr<MeasuredCoordinator>> coordinators;
  dist::Endpoint given{.address = options.address};
  if (!options.token_file.empty()) {
    given.token = dist::read_token(options.token_file);
  }
  if (options.address.empty()) {
    const std::optional<int> core = divide_cores();
    // All forks come before the first of gRPC's threads.
    for (std::size_t i = 0; i < phases.size(); ++i) {
      coordinators.push_back(
          std::make_unique<MeasuredCoordinator>(workplace.file(fmt::format("{}.db", i)), core));
    }
  }
  std::vector<Row> rows;
  for (std::size_t i = 0; i < phases.size(); ++i) {
    if (!options.quiet) {
      std::cerr << fmt::format("{} workers, each {}\n", phases[i].workers, phases[i].name());
    }
    const int number = static_cast<int>(i);
    if (coordinators.empty()) {
      rows.push_back(measure(phases[i], options, given, nullptr, number));
    } else {
      const dist::Endpoint endpoint = coordinators[i]->serve();
      rows.push_back(measure(phases[i], options, endpoint, coordinators[i].get(), number));
      coordinators[i].reset();
    }
  }
  std::cout << (options.json ? json_of(rows) + "\n" : text_of(rows)) << std::flush;
  return kExitDone;
}

}  // namespace convoy::launcher
