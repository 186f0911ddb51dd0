// How fast a run would be on many hosts, computed from what a step takes on one: a model of
// convoy's own way to sum gradients (dist/bucket_exchange.h, dist/gradient_reducer.h). A pure
// function.
//
// With W hosts of one rank each, a step has W workers that compute for t seconds, a third of it
// forward, two thirds backward, and G bytes of gradient in K equal buckets, which become ready
// evenly over backward. For a bucket every host sends each of the W - 1 others a header and a chunk
// of G / (K W) bytes, and later its own chunk of the sum. A host's link, full duplex, carries one
// thing after the other:
//
//   bucket   = 2 (W-1)/W G/K / (payload share x bandwidth) + 3 (W-1) overhead
//   latency  = 2 x (one way, or three ways if a chunk is above 64 KiB: then Open MPI's TCP asks
//              the receiver first), once a step, since all buckets are on their way together
//   exposed  = latency + max(bucket, K bucket - (K-1)/K 2/3 t)  with overlap
//            = latency + K bucket                               without
//   step     = t + exposed
//
// Left out: the time to add chunks up and to copy them (with TCP that is the processor's), ranks
// that are late, switches with less than full bandwidth between all hosts, and lost packets; and
// overlap is taken to be perfect. So it is the best that can be hoped for. Measured across network
// namespaces of one machine, 5.6 MB of gradients over links of 100 and 400 Mbit/s and 1 Gbit/s took
// 1.08 to 1.20 times what it says for two and three hosts, without training beside it.
#pragma once

#include <cstdint>
#include <vector>

namespace convoy::launcher {

struct Network {
  double latency_seconds = 50e-6;  ///< one way, between any two hosts
  /// Of what a link carries; TCP over Ethernet: 1448 of a frame's 1538 bytes.
  double payload_share = 1448.0 / 1538;
  double bandwidth_bytes_per_second = 1.25e9;  ///< of a host, in each direction at once
  double overhead_seconds = 5e-6;              ///< of the processor, per message
};

struct Workload {
  double compute_seconds = 0.0;  ///< of a step on one host
  double images = 0.0;           ///< of a step on one host
  double gradient_bytes = 0.0;
  std::int64_t buckets = 1;
};

struct Prediction {
  std::int64_t hosts = 1;
  double communication_seconds = 0.0;  ///< of a step, hidden or not
  double exposed_seconds = 0.0;        ///< of that, what training waits for
  double step_seconds = 0.0;
  double images_per_second = 0.0;  ///< of all hosts
  double efficiency = 1.0;         ///< against `hosts` times one host
};

/// REQUIRES: hosts and buckets at least 1, everything else positive.
Prediction predict(const Workload& workload, const Network& network, std::int64_t hosts,
                   bool overlap);

/// For 2, 4, 8 ... `most` hosts with the same images per host.
std::vector<Prediction> predict_weak(const Workload& workload, const Network& network,
                                     std::int64_t most, bool overlap);

/// The same with `images` shared out over all hosts, as long as each gets one; computing is taken
/// to be as fast per image as it was. Efficiency is against one host that computes them all.
std::vector<Prediction> predict_strong(const Workload& workload, const Network& network,
                                       double images, std::int64_t most, bool overlap);

}  // namespace convoy::launcher
