// A scaling report as people and programs read it.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "launcher/bench_scaling.h"
#include "launcher/format.h"

namespace convoy::launcher {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kMiB = 1024.0 * 1024;

std::string percent(double share) {
  return fmt::format("{:.0f} %", 100 * share);
}

template <typename Format>
std::string or_dash(const std::optional<double>& value, Format format) {
  return value ? format(*value) : "-";
}

std::string factor(double value) {
  return fmt::format("{:.2f}x", value);
}

std::string measured_text(const ScalingReport& report) {
  std::string text = fmt::format(
      "{:>5}  {:>9}  {:>17}  {:>8}  {:>10}  {:>13}  {:>6}  {:>7}  {:>9}\n", "ranks", "images/s",
      "range", "speed-up", "efficiency", "communication", "hidden", "overlap", "imbalance");
  for (const ScalingRow& row : report.rows) {
    text += fmt::format("{:>5}  {:>9}  {:>17}  {:>8}  {:>10}  {:>13}  {:>6}  {:>7}  {:>9}{}\n",
                        row.ranks, format_rate(row.images_per_second),
                        fmt::format("{}..{}", format_rate(row.slowest), format_rate(row.fastest)),
                        or_dash(row.speed_up, factor), or_dash(row.efficiency, percent),
                        percent(row.communication_share), percent(row.hidden_share),
                        row.overlap.empty() || row.ranks == 1 ? "-" : row.overlap,
                        or_dash(row.imbalance, factor),
                        row.speed_up ? "" : "  more ranks than cores: not a measure of scaling");
  }
  return text;
}

std::string assumptions(const ScalingReport& report) {
  const Workload& workload = *report.workload;
  const BenchScalingOptions& options = report.options;
  return fmt::format(
      "Prediction, not measured: hosts like this one with one rank each, {:.4g} ms of computing a "
      "step\n(measured), {:.2f} MiB of gradients in {} bucket{} (measured), and, as stated,\n"
      "{:g} us latency, {:g} Gbit/s for each host in each direction, {:g} us per message.\n"
      "Left out: late ranks, adding and copying, narrow switches; overlap is perfect or none. "
      "Real\n"
      "runs are slower.\n\n",
      1e3 * workload.compute_seconds, workload.gradient_bytes / kMiB, workload.buckets,
      workload.buckets == 1 ? "" : "s", options.latency_us, options.bandwidth_gbit,
      options.message_us);
}

std::string predicted_text(const ScalingReport& report) {
  if (!report.workload) {
    return "No prediction: it starts from the bytes that ranks sent; measure at least two: -n 2\n";
  }
  std::string text = assumptions(report);
  text += fmt::format("{:>5}  {:>12}  {:>10}  {:>8}  {:>13}  {:>23}\n", "hosts", "images/s",
                      "efficiency", "step", "communication", "efficiency, no overlap");
  for (std::size_t i = 0; i < report.overlapped.size(); ++i) {
    const Prediction& prediction = report.overlapped[i];
    text +=
        fmt::format("{:>5}  {:>12}  {:>10}  {:>5.4g} ms  {:>10.4g} ms  {:>23}\n", prediction.hosts,
                    format_rate(prediction.images_per_second), percent(prediction.efficiency),
                    1e3 * prediction.step_seconds, 1e3 * prediction.communication_seconds,
                    percent(report.in_sequence[i].efficiency));
  }
  return text;
}

Json nullable(const std::optional<double>& value) {
  return value ? Json(*value) : Json();
}

Json json_of(const ScalingRow& row) {
  return {{"ranks", row.ranks},
          {"images_per_second", row.images_per_second},
          {"slowest", row.slowest},
          {"fastest", row.fastest},
          {"speed_up", nullable(row.speed_up)},
          {"efficiency", nullable(row.efficiency)},
          {"communication_share", row.communication_share},
          {"hidden_share", row.hidden_share},
          {"overlap", row.overlap},
          {"imbalance", nullable(row.imbalance)}};
}

Json json_of(const Prediction& prediction) {
  return {{"hosts", prediction.hosts},
          {"images_per_second", prediction.images_per_second},
          {"efficiency", prediction.efficiency},
          {"step_seconds", prediction.step_seconds},
          {"communication_seconds", prediction.communication_seconds},
          {"exposed_seconds", prediction.exposed_seconds}};
}

template <typename Item>
Json list_of(const std::vector<Item>& items) {
  Json list = Json::array();
  for (const Item& item : items) {
    list.push_back(json_of(item));
  }
  return list;
}

}  // namespace

std::string scaling_text(const ScalingReport& report) {
  const BenchScalingOptions& options = report.options;
  return fmt::format(
             "{}, {}, {} steps, medians of {} interleaved rounds, {} thread{} a rank{}\n\n",
             options.model,
             options.batch_size
                 ? fmt::format("{} images a step (strong scaling)", *options.batch_size)
                 : fmt::format("{} images a step and rank (weak scaling)", options.batch_per_rank),
             options.steps, options.rounds, options.threads, options.threads == 1 ? "" : "s",
             report.cores ? fmt::format(", {} cores", *report.cores) : "") +
         measured_text(report) + "\n" + predicted_text(report);
}

std::string scaling_json(const ScalingReport& report) {
  const BenchScalingOptions& options = report.options;
  Json json = {{"model", options.model},
               {"batch_per_rank", options.batch_size ? Json() : Json(options.batch_per_rank)},
               {"batch_size", options.batch_size ? Json(*options.batch_size) : Json()},
               {"steps", options.steps},
               {"rounds", options.rounds},
               {"threads", options.threads},
               {"cores", report.cores ? Json(*report.cores) : Json()},
               {"measured", list_of(report.rows)},
               {"prediction", nullptr}};
  if (report.workload) {
    json["prediction"] = {{"assumed",
                           {{"latency_us", options.latency_us},
                            {"bandwidth_gbit", options.bandwidth_gbit},
                            {"message_us", options.message_us}}},
                          {"compute_seconds", report.workload->compute_seconds},
                          {"gradient_bytes", report.workload->gradient_bytes},
                          {"buckets", report.workload->buckets},
                          {"overlapped", list_of(report.overlapped)},
                          {"in_sequence", list_of(report.in_sequence)}};
  }
  return json.dump();
}

}  // namespace convoy::launcher
