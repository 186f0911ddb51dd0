// `convoy bench scaling`: trains on one rank, on two, and so on, in turns, and tells how much
// faster that was.
#include <fmt/format.h>

#include <iostream>

#include "core/base/check.h"
#include "launcher/bench_scaling.h"
#include "launcher/child.h"
#include "launcher/commands.h"
#include "launcher/doctor_probe.h"
#include "launcher/exit_codes.h"
#include "launcher/workplace.h"

namespace convoy::launcher {
namespace {

RunFigures measure(const BenchScalingOptions& options, int ranks, const std::string& run_dir) {
  const std::vector<std::string> argv = train_command(options, own_program(), ranks, run_dir);
  const ChildResult result = run_child({.argv = argv, .deadline = std::chrono::minutes(30)});
  check(result.exit_code == 0 && !result.timed_out, "the training on {} rank{} failed ({}):\n{}",
        ranks, ranks == 1 ? "" : "s",
        result.timed_out ? "it did not end within 30 minutes"
                         : fmt::format("exit code {}", result.exit_code),
        result.errors.substr(0, 4000));
  RunFigures run = parse_run(result.output, global_batch(options, ranks));
  check(run.ranks == ranks,
        "{} ranks were asked for, {} trained: convoy train -n has no mpirun here\nconvoy doctor "
        "tells why.",
        ranks, run.ranks);
  return run;
}

}  // namespace

int run_bench_scaling(const BenchScalingOptions& given) {
  BenchScalingOptions options = given;
  const int cores = usable_cores(probe_processor());
  const std::vector<int> counts = rank_counts(options.ranks.value_or(cores));
  check(!options.batch_size || *options.batch_size >= counts.back(),
        "--batch-size {} gives some of {} ranks no image at all", options.batch_size.value_or(0),
        counts.back());
  const Workplace workplace;
  std::vector<std::vector<RunFigures>> runs(counts.size());
  for (int round = 0; round < options.rounds; ++round) {
    for (std::size_t i = 0; i < counts.size(); ++i) {
      if (!options.quiet) {
        std::cerr << fmt::format("round {} of {}: {} rank{}\n", round + 1, options.rounds,
                                 counts[i], counts[i] == 1 ? "" : "s");
      }
      runs[i].push_back(measure(options, counts[i],
                                workplace.file(fmt::format("{}-{}", round, counts[i])).string()));
    }
  }
  ScalingReport report = {.options = options};
  if (options.hostfile.empty()) {
    report.cores = cores;
  }
  report.rows = scaling_rows(runs, report.cores);
  report.workload = workload_of(runs, global_batch(options, 1));
  if (report.workload) {
    const Network network = {.latency_seconds = 1e-6 * options.latency_us,
                             .bandwidth_bytes_per_second = 1e9 / 8 * options.bandwidth_gbit,
                             .overhead_seconds = 1e-6 * options.message_us};
    const auto predicted = [&](bool overlap) {
      return options.batch_size
                 ? predict_strong(*report.workload, network,
                                  static_cast<double>(*options.batch_size), options.hosts, overlap)
                 : predict_weak(*report.workload, network, options.hosts, overlap);
    };
    report.overlapped = predicted(true);
    report.in_sequence = predicted(false);
  }
  std::cout << (options.json ? scaling_json(report) + "\n" : scaling_text(report)) << std::flush;
  return kExitDone;
}

}  // namespace convoy::launcher
