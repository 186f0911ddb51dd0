// Instants and lengths of time, between protobuf's messages and std::chrono.
#pragma once

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include <chrono>
#include <cstdint>

namespace convoy::dist {

using Time = std::chrono::system_clock::time_point;
using std::chrono::nanoseconds;

constexpr std::int64_t kNanosPerSecond = 1'000'000'000;

/// Since 1970.
inline nanoseconds since_epoch(Time time) {
  return std::chrono::duration_cast<nanoseconds>(time.time_since_epoch());
}
inline Time from_epoch(nanoseconds time) {
  return Time(std::chrono::duration_cast<Time::duration>(time));
}

inline google::protobuf::Duration to_message(nanoseconds length) {
  google::protobuf::Duration message;
  message.set_seconds(length.count() / kNanosPerSecond);
  message.set_nanos(static_cast<std::int32_t>(length.count() % kNanosPerSecond));
  return message;
}
/// REQUIRES: at most a few hundred years.
inline nanoseconds from_message(const google::protobuf::Duration& message) {
  return nanoseconds(message.seconds() * kNanosPerSecond + message.nanos());
}

/// REQUIRES: not before 1970.
inline google::protobuf::Timestamp to_message(Time time) {
  google::protobuf::Timestamp message;
  message.set_seconds(since_epoch(time).count() / kNanosPerSecond);
  message.set_nanos(static_cast<std::int32_t>(since_epoch(time).count() % kNanosPerSecond));
  return message;
}
inline Time from_message(const google::protobuf::Timestamp& message) {
  return from_epoch(nanoseconds(message.seconds() * kNanosPerSecond + message.nanos()));
}

}  // namespace convoy::dist
