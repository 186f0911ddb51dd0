// Brings the outbox to a coordinator: what to say next, and what its refusals mean. No threads and
// no clock; reporter.h says when.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "convoy/v1/coordinator.pb.h"
#include "dist/coordinator/worker/outbox.h"
#include "dist/coordinator/worker/report_sink.h"

namespace convoy::dist {

/// Not thread safe.
class Delivery {
 public:
  /// What an attempt came to.
  enum class Outcome {
    kDone,     ///< everything is told
    kRetry,    ///< later: the coordinator is away, or has to be told something else first
    kGivenUp,  ///< it refuses this run for good
  };

  /// Both must outlive this. `registration` is this generation's.
  Delivery(ReportSink& sink, Outbox& outbox, v1::RegisterRunRequest registration);

  /// Sends everything that is in the outbox, until `enough` is true.
  Outcome deliver(const std::function<bool()>& enough);
  /// REQUIRES: deliver() was done.
  Outcome heartbeat(v1::HeartbeatRequest request);

  /// Of the last attempt: why it is not done; "" if it is.
  const std::string& reason() const { return reason_; }
  /// Whether it was not the network: the coordinator is there and refuses.
  bool refused() const { return refused_; }
  bool stop_requested() const { return stop_requested_; }
  std::chrono::nanoseconds heartbeat_interval() const { return heartbeat_interval_; }

 private:
  template <typename Call>
  Outcome attempt(Call call);
  Outcome judge(const Refusal& refusal);
  void register_next();
  void send_first();
  template <typename Response>
  void heard(const Response& response);
  void taken(std::int64_t sequence);

  ReportSink& sink_;
  Outbox& outbox_;
  const v1::RegisterRunRequest registration_;
  std::int64_t registered_ = 0;  // the generation; 0: none
  std::int64_t speaking_ = 0;    // of which the call under way speaks
  bool registering_ = false;     // it is a registration
  std::size_t sending_ = 0;      // it sends so many of the outbox
  std::size_t most_ = SIZE_MAX;  // to be sent at a time
  std::int64_t last_taken_ = 0;  // sequence of this generation
  std::string reason_;
  bool refused_ = false;
  bool stop_requested_ = false;
  std::chrono::nanoseconds heartbeat_interval_{std::chrono::seconds(1)};
};

}  // namespace convoy::dist
