#include "launcher/bench_scaling.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/base/check.h"
#include "core/base/printable.h"

namespace convoy::launcher {
namespace {

using Json = nlohmann::json;

// A number, or 0 where it is missing or null.
double number(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_number() ? found->get<double>() : 0.0;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

template <typename Figure>
std::vector<double> each(const std::vector<RunFigures>& runs, Figure figure) {
  std::vector<double> values;
  std::ranges::transform(runs, std::back_inserter(values), figure);
  return values;
}

double share(double part, double whole) {
  return whole > 0 ? std::clamp(part / whole, 0.0, 1.0) : 0.0;
}

double images_per_second(const RunFigures& run) {
  return run.images_per_second;
}

std::optional<double> median_imbalance(const std::vector<RunFigures>& runs) {
  std::vector<double> values;
  for (const RunFigures& run : runs) {
    if (run.imbalance) {
      values.push_back(*run.imbalance);
    }
  }
  return values.empty() ? std::nullopt : std::optional(median(values));
}

ScalingRow row_of(const std::vector<RunFigures>& runs) {
  const std::vector<double> speeds = each(runs, images_per_second);
  return {
      .ranks = runs.front().ranks,
      .images_per_second = median(speeds),
      .slowest = std::ranges::min(speeds),
      .fastest = std::ranges::max(speeds),
      .communication_share = median(
          each(runs,
               [](const RunFigures& run) { return share(run.exposed_seconds, run.step_seconds); })),
      .hidden_share = median(each(runs,
                                  [](const RunFigures& run) {
                                    return share(run.communication_seconds - run.exposed_seconds,
                                                 run.communication_seconds);
                                  })),
      .overlap = runs.back().overlap,
      .imbalance = median_imbalance(runs)};
}

}  // namespace

RunFigures parse_run(const std::string& output, std::int64_t batch_size) {
  std::istringstream lines(output);
  std::string last;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('{')) {
      last = line;
    }
  }
  const Json json = Json::parse(last, nullptr, false);
  check(json.is_object() && json.contains("images_per_second"),
        "convoy train --json printed no figures, but {}", printable(output));
  RunFigures run = {.ranks = static_cast<int>(number(json, "world_size")),
                    .threads = static_cast<int>(number(json, "threads")),
                    .images_per_second = number(json, "images_per_second"),
                    .step_seconds = number(json, "step_seconds")};
  check(run.images_per_second > 0 && std::isfinite(run.images_per_second) && run.ranks >= 1,
        "convoy train measured no speed; it leaves out the first ten steps: use more --steps");
  if (run.step_seconds <= 0) {
    run.step_seconds = static_cast<double>(batch_size) / run.images_per_second;
  }
  if (const auto found = json.find("communication"); found != json.end() && found->is_object()) {
    run.communication_seconds = number(*found, "seconds_per_step");
    run.exposed_seconds = number(*found, "exposed_seconds_per_step");
    run.gradient_bytes = number(*found, "gradient_bytes");
    run.buckets = std::max<std::int64_t>(1, static_cast<std::int64_t>(number(*found, "buckets")));
    run.overlap = found->value("overlap", "");
    const double imbalance = number(*found, "imbalance");
    run.imbalance = imbalance > 0 ? std::optional(imbalance) : std::nullopt;
  }
  return run;
}

std::int64_t global_batch(const BenchScalingOptions& options, int ranks) {
  return options.batch_size.value_or(options.batch_per_rank * ranks);
}

std::vector<std::string> train_command(const BenchScalingOptions& options,
                                       const std::string& program, int ranks,
                                       const std::string& run_dir) {
  std::vector<std::string> argv = {program, "train"};
  if (ranks > 1) {
    argv.insert(argv.end(), {"--ranks", fmt::format("{}", ranks)});
    if (!options.hostfile.empty()) {
      argv.insert(argv.end(), {"--hostfile", options.hostfile.string()});
    }
  }
  argv.insert(argv.end(),
              {"--dataset", "synthetic", "--model", options.model, "--batch-size",
               fmt::format("{}", global_batch(options, ranks)), "--threads",
               fmt::format("{}", options.threads), "--max-steps", fmt::format("{}", options.steps),
               "--epochs", "1000", "--plots", "none", "--quiet", "--json", "--run-dir", run_dir});
  argv.insert(argv.end(), options.train_options.begin(), options.train_options.end());
  return argv;
}

std::vector<int> rank_counts(int most) {
  std::vector<int> counts;
  for (int ranks = 1; ranks < most; ranks = most <= 8 ? ranks + 1 : 2 * ranks) {
    counts.push_back(ranks);
  }
  counts.push_back(most);
  return counts;
}

std::vector<ScalingRow> scaling_rows(const std::vector<std::vector<RunFigures>>& runs,
                                     std::optional<int> cores) {
  std::vector<ScalingRow> rows;
  for (const std::vector<RunFigures>& same : runs) {
    rows.push_back(row_of(same));
    ScalingRow& row = rows.back();
    if (!cores || row.ranks * same.front().threads <= *cores) {
      row.speed_up = row.images_per_second / rows.front().images_per_second;
      row.efficiency = *row.speed_up * rows.front().ranks / row.ranks;
    }
  }
  return rows;
}

std::optional<Workload> workload_of(const std::vector<std::vector<RunFigures>>& runs,
                                    std::int64_t batch_size_of_one) {
  const int most = runs.back().front().ranks;
  const double gradient_bytes = runs.back().back().gradient_bytes;
  if (runs.front().front().ranks != 1 || most == 1 || gradient_bytes <= 0) {
    return std::nullopt;
  }
  return Workload{.compute_seconds = static_cast<double>(batch_size_of_one) /
                                     median(each(runs.front(), images_per_second)),
                  .images = static_cast<double>(batch_size_of_one),
                  .gradient_bytes = gradient_bytes,
                  .buckets = runs.back().back().buckets};
}

}  // namespace convoy::launcher
