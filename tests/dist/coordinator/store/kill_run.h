// The run that killed_writer.cc tells of and kill_test.cc looks for.
#pragma once

#include "dist/coordinator/book/limits.h"
#include "tests/dist/coordinator/book/requests.h"

namespace convoy::testing {

constexpr std::int32_t kKillRanks = 3;
/// A rank may be far ahead of the others, and yet no step counts as lost.
constexpr dist::CoordinatorLimits kKillLimits = {.open_steps = 10'000'000};

inline v1::RegisterRunRequest kill_run() {
  v1::RegisterRunRequest request = registration(kKillRanks);
  request.mutable_spec()->set_epochs(1'000'000);
  request.mutable_spec()->set_steps(1'000'000 * kEpochSteps);
  return request;
}

}  // namespace convoy::testing
