#include "launcher/train_result.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "core/base/parallel.h"
#include "dist/collectives.h"
#include "launcher/json.h"
#include "launcher/options.h"

namespace convoy::launcher {
namespace {

using Json = nlohmann::ordered_json;

// The most memory this process has had resident.
std::int64_t peak_memory_bytes() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return std::int64_t{usage.ru_maxrss} * 1024;
}

double per_step(double sum, std::int64_t steps) {
  return steps > 0 ? sum / static_cast<double>(steps) : 0.0;
}

// Of this rank's steps after the first ten.
Json communication_json(const TrainResult& result) {
  const dist::Trainer& trainer = result.trainer;
  const dist::ReduceStatistics& statistics = trainer.reduce_statistics();
  return {{"overlap", overlap_str(trainer.overlap())},
          {"shared_memory", trainer.shares_memory()},
          {"bytes_per_step",
           statistics.steps > 0 ? statistics.bytes_sent / statistics.steps : std::int64_t{0}},
          {"gradient_bytes", trainer.gradient_bytes()},
          {"buckets", trainer.buckets()},
          {"seconds_per_step", per_step(statistics.total.count(), statistics.steps)},
          {"exposed_seconds_per_step", per_step(statistics.exposed.count(), statistics.steps)},
          {"hidden_share", statistics.hidden_share()},
          {"imbalance", result.imbalance}};
}

}  // namespace

double compute_imbalance(dist::Communicator& communicator, const dist::Trainer& trainer) {
  const dist::ReduceStatistics& statistics = trainer.reduce_statistics();
  std::vector<double> seconds(static_cast<std::size_t>(communicator.size()));
  seconds[static_cast<std::size_t>(communicator.rank())] =
      trainer.step_time().count() - per_step(statistics.exposed.count(), statistics.steps);
  all_reduce_sum(communicator, std::span(seconds));
  const double mean =
      std::accumulate(seconds.begin(), seconds.end(), 0.0) / static_cast<double>(seconds.size());
  return mean > 0 ? std::ranges::max(seconds) / mean : 1.0;
}

std::string train_result_json(const TrainResult& result) {
  const dist::Trainer& trainer = result.trainer;
  Json json = {{"run_dir", result.run_dir.path().string()},
               {"world_size", result.world_size},
               {"threads", num_threads()},
               {"steps", trainer.position().step},
               {"images_per_second", trainer.images_per_second()},
               {"step_seconds", trainer.step_time().count()},
               {"communication", communication_json(result)},
               {"peak_memory_bytes", peak_memory_bytes()},
               {"epochs", Json::array()}};
  for (const EpochMetrics& epoch : result.epochs) {
    json["epochs"].push_back(to_json(epoch));
  }
  return json.dump();
}

std::string communication_summary(const TrainResult& result) {
  const dist::ReduceStatistics& statistics = result.trainer.reduce_statistics();
  if (result.world_size == 1 || statistics.steps == 0) {
    return "";
  }
  return fmt::format(
      "gradients: {:.1f} MB {} a step, {:.2f} ms on their way, of which backward hid {:.0f} % "
      "(overlap: {})\n",
      per_step(static_cast<double>(statistics.bytes_sent) / 1e6, statistics.steps),
      result.trainer.shares_memory() ? "read in shared memory" : "sent",
      1e3 * per_step(statistics.total.count(), statistics.steps), 100 * statistics.hidden_share(),
      overlap_str(result.trainer.overlap()));
}

}  // namespace convoy::launcher
