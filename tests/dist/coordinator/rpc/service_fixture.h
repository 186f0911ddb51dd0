// A coordinator with its server on a free port of loopback, and requests that it takes.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>

#include "dist/coordinator/coordinator.h"
#include "dist/coordinator/rpc/client.h"
#include "dist/coordinator/rpc/server.h"
#include "tests/support/temporary_directory.h"

namespace convoy::dist {

constexpr std::int64_t kFixtureSteps = 100'000;

/// A run of one rank.
inline v1::RegisterRunRequest registration(const std::string& run, std::int64_t generation = 1) {
  v1::RegisterRunRequest request;
  request.set_run(run);
  request.set_generation(generation);
  request.set_attempt("attempt-" + std::to_string(generation));
  v1::RunSpec& spec = *request.mutable_spec();
  spec.set_model("tutorial");
  spec.set_dataset("synthetic");
  spec.set_batch_size(32);
  spec.set_epochs(10);
  spec.set_steps(kFixtureSteps);
  spec.set_steps_per_epoch(kFixtureSteps / 10);
  spec.set_images_per_epoch(32 * kFixtureSteps / 10);
  spec.set_world_size(1);
  spec.set_threads(1);
  v1::RankInfo& rank = *request.add_ranks();
  rank.set_host("here");
  rank.set_pid(1);
  return request;
}

/// Report `sequence`, of step `sequence`.
inline v1::ReportProgressRequest report(const std::string& run, std::int64_t sequence,
                                        std::int64_t generation = 1) {
  v1::ReportProgressRequest request;
  request.set_run(run);
  request.set_generation(generation);
  request.set_sequence(sequence);
  v1::StepReport& step = *request.add_steps();
  step.set_step(sequence);
  step.set_epoch(1);
  step.set_learning_rate(0.001);
  step.mutable_duration()->set_nanos(10'000'000);
  v1::Sums& sums = *step.add_ranks()->mutable_sums();
  sums.set_images(32);
  sums.set_correct(16);
  sums.set_loss_sum(48.5);
  return request;
}

inline v1::FinishRunRequest finish(const std::string& run, std::int64_t sequence) {
  v1::FinishRunRequest request;
  request.set_run(run);
  request.set_generation(1);
  request.set_sequence(sequence);
  request.set_state(v1::RUN_STATE_SUCCEEDED);
  return request;
}

class ServiceFixture : public ::testing::Test {
 protected:
  static constexpr const char* kToken = "a-token-for-these-tests";

  /// Options that hold for all servers of the fixture.
  CoordinatorServer::Options options() const { return {.token = kToken}; }
  void serve(const CoordinatorServer::Options& options) {
    server_.reset();
    server_.emplace(coordinator_, options);
  }
  void serve() { serve(options()); }
  void stop_serving() { server_.reset(); }

  Endpoint endpoint() const { return {.address = server_->address(), .token = kToken}; }
  int port() const {
    return std::stoi(server_->address().substr(server_->address().rfind(':') + 1));
  }
  CoordinatorClient client(std::chrono::milliseconds timeout = std::chrono::seconds(30)) const {
    return CoordinatorClient({.endpoint = endpoint(), .timeout = timeout});
  }

  testing::TemporaryDirectory directory_;
  Coordinator coordinator_{{.database = directory_.path() / "coordinator.db"}};
  std::optional<CoordinatorServer> server_;
};

/// What `call` is refused with; nothing if it is not.
inline std::optional<Refusal::Kind> refusal_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Refusal& refusal) {
    return refusal.kind();
  }
  return std::nullopt;
}

}  // namespace convoy::dist
