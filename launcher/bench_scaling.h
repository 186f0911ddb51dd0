// `convoy bench scaling`: what is measured and how it is told. Running the training is
// launcher/bench.cc's; computing what cannot be measured here is launcher/scaling_model.h's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "launcher/options.h"
#include "launcher/scaling_model.h"

namespace convoy::launcher {

/// What one `convoy train --json` says of its speed. Seconds are those of an average step on rank
/// 0.
struct RunFigures {
  int ranks = 1;
  int threads = 1;
  double images_per_second = 0.0;
  double step_seconds = 0.0;
  double communication_seconds = 0.0;  ///< hidden or not
  double exposed_seconds = 0.0;        ///< of that, what training waited for
  double gradient_bytes = 0.0;         ///< of the whole gradient, as messages carry it
  std::int64_t buckets = 1;            ///< in which gradients travelled
  std::string overlap = {};  ///< how gradients travelled in the end: "off", "poll", "thread"
  /// The longest time that a rank computed, against the average of all ranks.
  std::optional<double> imbalance = {};
};

/// Reads the last JSON object in what `convoy train --json` printed. Throws Error for what is none.
RunFigures parse_run(const std::string& output, std::int64_t batch_size);

/// The command that measures: `program train ...` on so many ranks, writing to `run_dir`.
std::vector<std::string> train_command(const BenchScalingOptions& options,
                                       const std::string& program, int ranks,
                                       const std::string& run_dir);

/// The images of a step of all ranks together.
std::int64_t global_batch(const BenchScalingOptions& options, int ranks);

/// 1, 2, 3 ... for up to eight ranks, else the powers of two, and `most`.
std::vector<int> rank_counts(int most);

/// One number of ranks, over all rounds.
struct ScalingRow {
  int ranks = 1;
  double images_per_second = 0.0;  ///< median
  double slowest = 0.0;
  double fastest = 0.0;
  /// Against the first row, and that divided by ranks; none where there are fewer cores than
  /// threads, which is no measure of scaling.
  std::optional<double> speed_up = {};
  std::optional<double> efficiency = {};
  double communication_share = 0.0;  ///< of a step, what training waited for; median
  double hidden_share = 0.0;         ///< of communication, what backward hid; median
  std::string overlap = {};          ///< of the last run
  std::optional<double> imbalance = {};
};

/// `runs`: of one number of ranks each, in any order, in the order of ranks; the first are of one
/// rank. `cores` of this machine; none if ranks run elsewhere too.
std::vector<ScalingRow> scaling_rows(const std::vector<std::vector<RunFigures>>& runs,
                                     std::optional<int> cores);

/// What a prediction starts from, from the runs of one rank and of the most ranks; none without
/// runs of several ranks that say how many bytes they sent.
std::optional<Workload> workload_of(const std::vector<std::vector<RunFigures>>& runs,
                                    std::int64_t batch_size_of_one);

struct ScalingReport {
  BenchScalingOptions options = {};
  std::optional<int> cores = {};
  std::vector<ScalingRow> rows = {};
  std::optional<Workload> workload = {};
  std::vector<Prediction> overlapped = {};
  std::vector<Prediction> in_sequence = {};  ///< the same hosts, without overlap
};

std::string scaling_text(const ScalingReport& report);
std::string scaling_json(const ScalingReport& report);

}  // namespace convoy::launcher
