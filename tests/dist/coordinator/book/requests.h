// Requests as the workers of a made-up run send them.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "convoy/v1/coordinator.pb.h"
#include "dist/coordinator/base/refusal.h"
#include "dist/coordinator/book/records.h"

namespace convoy::testing {

constexpr std::int64_t kBatch = 32;
constexpr std::int64_t kEpochSteps = 10;

/// A run of 3 epochs with 10 steps of 32 images each.
inline v1::RegisterRunRequest registration(std::int32_t world_size, std::int64_t generation = 1,
                                           std::int64_t first_step = 0) {
  v1::RegisterRunRequest request;
  request.set_run("night-run");
  request.set_generation(generation);
  request.set_attempt("attempt-" + std::to_string(generation));
  v1::RunSpec& spec = *request.mutable_spec();
  spec.set_model("tutorial");
  spec.set_dataset("mnist");
  spec.set_batch_size(kBatch);
  spec.set_epochs(3);
  spec.set_steps(3 * kEpochSteps);
  spec.set_steps_per_epoch(kEpochSteps);
  spec.set_images_per_epoch(kEpochSteps * kBatch);
  spec.set_world_size(world_size);
  for (std::int32_t rank = 0; rank < world_size; ++rank) {
    v1::RankInfo& info = *request.add_ranks();
    info.set_rank(rank);
    info.set_host("node" + std::to_string(rank));
    info.set_pid(1000 + rank);
  }
  request.set_first_step(first_step);
  return request;
}

/// What a rank did in a step: a pure function of both, with losses of 2^-24 as convoy's are.
inline dist::Totals part_of(std::int64_t step, std::int32_t rank) {
  return {.images = 1 + (step + rank) % 7,
          .correct = (step * 3 + rank) % (1 + (step + rank) % 7),
          .loss_sum = static_cast<double>(1 + (step * 7919 + rank * 104729) % 1000003) / (1 << 24)};
}

inline dist::Totals epoch_of_ranks(std::int64_t epoch, std::int32_t world_size) {
  dist::Totals sums;
  for (std::int64_t step = (epoch - 1) * kEpochSteps + 1; step <= epoch * kEpochSteps; ++step) {
    for (std::int32_t rank = 0; rank < world_size; ++rank) {
      sums += part_of(step, rank);
    }
  }
  return sums;
}

inline v1::StepReport step_of(std::int64_t step, const std::vector<std::int32_t>& ranks,
                              std::chrono::milliseconds computing = std::chrono::milliseconds(80)) {
  v1::StepReport report;
  report.set_step(step);
  report.set_epoch((step - 1) / kEpochSteps + 1);
  report.set_learning_rate(0.001);
  *report.mutable_duration() = dist::to_message(dist::nanoseconds(std::chrono::milliseconds(100)));
  for (const std::int32_t rank : ranks) {
    v1::RankStep& part = *report.add_ranks();
    part.set_rank(rank);
    dist::set_message(*part.mutable_sums(), part_of(step, rank));
    *part.mutable_computing() = dist::to_message(dist::nanoseconds(computing));
    *part.mutable_waiting() =
        dist::to_message(dist::nanoseconds(std::chrono::milliseconds(100) - computing));
  }
  return report;
}

/// An empty report, or with one step.
inline v1::ReportProgressRequest report(std::int64_t sequence, std::int32_t rank = 0,
                                        std::int64_t generation = 1) {
  v1::ReportProgressRequest request;
  request.set_run("night-run");
  request.set_generation(generation);
  request.set_rank(rank);
  request.set_sequence(sequence);
  return request;
}
inline v1::ReportProgressRequest report(std::int64_t sequence, const v1::StepReport& step,
                                        std::int32_t rank = 0, std::int64_t generation = 1) {
  v1::ReportProgressRequest request = report(sequence, rank, generation);
  *request.add_steps() = step;
  return request;
}

inline v1::FinishEpochRequest finished_epoch(std::int64_t sequence, std::int64_t epoch,
                                             std::int32_t world_size, std::int64_t generation = 1) {
  v1::FinishEpochRequest request;
  request.set_run("night-run");
  request.set_generation(generation);
  request.set_sequence(sequence);
  request.mutable_epoch()->set_epoch(epoch);
  dist::set_message(*request.mutable_epoch()->mutable_train(), epoch_of_ranks(epoch, world_size));
  dist::set_message(*request.mutable_epoch()->mutable_test(),
                    {.images = 100, .correct = 90, .loss_sum = 12.5});
  return request;
}

inline v1::HeartbeatRequest heartbeat(std::int32_t rank = 0, std::int64_t generation = 1) {
  v1::HeartbeatRequest request;
  request.set_run("night-run");
  request.set_generation(generation);
  request.set_rank(rank);
  request.set_phase(v1::PHASE_TRAINING);
  return request;
}

inline v1::FinishRunRequest finished_run(std::int64_t sequence, v1::RunState state,
                                         const std::string& reason = "",
                                         std::int64_t generation = 1) {
  v1::FinishRunRequest request;
  request.set_run("night-run");
  request.set_generation(generation);
  request.set_sequence(sequence);
  request.set_state(state);
  request.set_reason(reason);
  return request;
}

inline v1::GetRunRequest get_run(const std::string& run = "night-run") {
  v1::GetRunRequest request;
  request.set_run(run);
  return request;
}

/// Expects that `call` throws a Refusal of this kind with `part` in its text.
template <typename Call>
void expect_refusal(dist::Refusal::Kind kind, const std::string& part, const Call& call) {
  try {
    call();
  } catch (const dist::Refusal& refusal) {
    EXPECT_EQ(static_cast<int>(refusal.kind()), static_cast<int>(kind)) << refusal.what();
    EXPECT_NE(std::string(refusal.what()).find(part), std::string::npos)
        << "no '" << part << "' in: " << refusal.what();
    return;
  }
  ADD_FAILURE() << "nothing was refused; expected: " << part;
}

}  // namespace convoy::testing
