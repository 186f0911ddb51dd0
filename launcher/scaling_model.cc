#include "launcher/scaling_model.h"

#include <algorithm>

namespace convoy::launcher {
namespace {

constexpr double kBackwardShare = 2.0 / 3.0;
constexpr double kAskedFirstBytes = 65536;  // Open MPI's btl_tcp_eager_limit

}  // namespace

Prediction predict(const Workload& workload, const Network& network, std::int64_t hosts,
                   bool overlap) {
  const auto world = static_cast<double>(hosts);
  const auto buckets = static_cast<double>(workload.buckets);
  Prediction result = {.hosts = hosts};
  if (hosts > 1) {
    const double chunk_bytes = workload.gradient_bytes / buckets / world;
    const double bandwidth = network.payload_share * network.bandwidth_bytes_per_second;
    const double bucket =
        2 * (world - 1) * chunk_bytes / bandwidth + 3 * (world - 1) * network.overhead_seconds;
    const double latency = 2 * (chunk_bytes > kAskedFirstBytes ? 3 : 1) * network.latency_seconds;
    const double hidden =
        overlap ? (buckets - 1) / buckets * kBackwardShare * workload.compute_seconds : 0.0;
    result.communication_seconds = buckets * bucket + latency;
    result.exposed_seconds = std::max(bucket, buckets * bucket - hidden) + latency;
  }
  result.step_seconds = workload.compute_seconds + result.exposed_seconds;
  result.images_per_second = world * workload.images / result.step_seconds;
  result.efficiency = workload.compute_seconds / result.step_seconds;
  return result;
}

std::vector<Prediction> predict_weak(const Workload& workload, const Network& network,
                                     std::int64_t most, bool overlap) {
  std::vector<Prediction> result;
  for (std::int64_t hosts = 2; hosts <= most; hosts *= 2) {
    result.push_back(predict(workload, network, hosts, overlap));
  }
  return result;
}

std::vector<Prediction> predict_strong(const Workload& workload, const Network& network,
                                       double images, std::int64_t most, bool overlap) {
  std::vector<Prediction> result;
  const double seconds_per_image = workload.compute_seconds / workload.images;
  for (std::int64_t hosts = 2; hosts <= most && static_cast<double>(hosts) <= images; hosts *= 2) {
    Workload part = workload;
    part.images = images / static_cast<double>(hosts);
    part.compute_seconds = seconds_per_image * part.images;
    result.push_back(predict(part, network, hosts, overlap));
  }
  return result;
}

}  // namespace convoy::launcher
