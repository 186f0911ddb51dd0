// Whether a request can be meant: every length and range, by itself, before anything is done for
// it. Whether it fits what is known of the run is for run_entry.h.
#pragma once

#include "convoy/v1/coordinator.pb.h"
#include "dist/coordinator/base/refusal.h"
#include "dist/coordinator/book/limits.h"

namespace convoy::dist {

// All throw Refusal::kInvalidArgument, naming field and value, unless they say otherwise.

/// 1 to 63 of a-z, 0-9 and -, beginning with a letter or digit.
void validate_run_name(const std::string& run);
/// kResourceExhausted for more than limits.ranks_per_run ranks.
void validate(const v1::RegisterRunRequest& request, const CoordinatorLimits& limits);
/// `spec` is what the run was registered with.
void validate(const v1::ReportProgressRequest& request, const v1::RunSpec& spec);
void validate(const v1::FinishEpochRequest& request, const v1::RunSpec& spec);
void validate(const v1::HeartbeatRequest& request, const v1::RunSpec& spec);
void validate(const v1::FinishRunRequest& request, const v1::RunSpec& spec);
void validate(const v1::StopRunRequest& request);
void validate(const v1::WatchRunRequest& request);

template <typename... Args>
void require(bool condition, fmt::format_string<Args...> text, Args&&... args) {
  if (!condition) [[unlikely]] {
    refuse(Refusal::Kind::kInvalidArgument, text, std::forward<Args>(args)...);
  }
}

}  // namespace convoy::dist
