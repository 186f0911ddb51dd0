#include "launcher/coordination.h"

#include <chrono>
#include <optional>

#include "core/base/check.h"
#include "dist/coordinator/base/times.h"
#include "dist/coordinator/rpc/client.h"
#include "dist/coordinator/worker/local_sink.h"
#include "dist/coordinator/worker/reporter.h"
#include "launcher/coordinator_endpoint.h"
#include "launcher/embedded_coordinator.h"
#include "launcher/run_identity.h"
#include "launcher/run_registration.h"

namespace convoy::launcher {
namespace {

// How long a call to a coordinator elsewhere may take.
constexpr std::chrono::milliseconds kCallTimeout{2000};

v1::Sums sums_message(const dist::Metrics& metrics) {
  v1::Sums sums;
  sums.set_images(metrics.images);
  sums.set_correct(metrics.correct);
  sums.set_loss_sum(metrics.loss_sum);
  return sums;
}

v1::RunState state_of(Coordination::End end) {
  switch (end) {
    case Coordination::End::kSucceeded:
      return v1::RUN_STATE_SUCCEEDED;
    case Coordination::End::kStopped:
      return v1::RUN_STATE_STOPPED;
    default:
      return v1::RUN_STATE_FAILED;
  }
}

class CoordinatedRun : public Coordination {
 public:
  CoordinatedRun(std::unique_ptr<EmbeddedCoordinator> embedded,
                 std::unique_ptr<dist::ReportSink> sink, dist::Reporter::Options options,
                 std::function<void(const std::string&)> show)
      : embedded_(std::move(embedded)),
        show_(std::move(show)),
        reporter_(std::move(sink), std::move(options)) {}

  void on_epoch_begin(std::int64_t, std::int64_t) override { reporter_.phase(v1::PHASE_TRAINING); }

  void on_step(const dist::StepResult& step) override {
    dist::StepRecord record = {.step = step.position.step,
                               .epoch = step.position.epoch + 1,
                               .learning_rate = step.learning_rate,
                               .duration = step.duration};
    record.ranks.reserve(step.ranks.size());
    for (const dist::StepReport& rank : step.ranks) {
      record.ranks.push_back({.images = rank.images,
                              .correct = rank.correct,
                              .loss_sum = rank.loss_sum,
                              .computing = std::chrono::nanoseconds(rank.computing_ns),
                              .waiting = std::chrono::nanoseconds(rank.waiting_ns)});
    }
    reporter_.step(std::move(record));
    show_notes();
  }

  void on_test_begin(std::int64_t) override { reporter_.phase(v1::PHASE_TESTING); }

  void on_epoch_end(const dist::EpochResult& result) override {
    v1::EpochMetrics epoch;
    epoch.set_epoch(result.epoch);
    *epoch.mutable_train() = sums_message(result.train);
    *epoch.mutable_test() = sums_message(result.test.metrics);
    epoch.set_images_per_second(result.images_per_second);
    *epoch.mutable_duration() =
        dist::to_message(std::chrono::duration_cast<std::chrono::nanoseconds>(result.duration));
    *epoch.mutable_end_time() = dist::to_message(std::chrono::system_clock::now());
    reporter_.epoch(std::move(epoch));
    show_notes();
  }

  void on_note(const std::string& text) override { reporter_.note(v1::SEVERITY_WARNING, text); }

  bool stop_requested() override { return reporter_.stop_requested(); }

  void end(End end, const std::string& reason) override {
    reporter_.end(state_of(end), reason);
    const std::size_t left = reporter_.close();
    show_notes();
    if (left > 0) {
      show_(fmt::format("{} reports did not reach the coordinator; --resume sends them", left));
    }
  }

 private:
  void show_notes() {
    for (const std::string& note : reporter_.take_notes()) {
      show_(note);
    }
  }

  std::unique_ptr<EmbeddedCoordinator> embedded_;
  std::function<void(const std::string&)> show_;
  dist::Reporter reporter_;  // goes before the coordinator that it may report to
};

}  // namespace

std::unique_ptr<Coordination> start_coordination(const CoordinationParts& parts) {
  const TrainingTask& task = parts.job.task();
  const RunIdentity identity =
      next_generation(parts.run_dir.path(), task.options.model, task.options.report);
  if (identity.reporting == Reporting::kNone) {
    return nullptr;
  }
  const dist::Trainer& trainer = parts.job.trainer();
  dist::Reporter::Options options;
  options.registration =
      run_registration(parts.job, parts.run_dir, identity, parts.pids, parts.epochs);
  options.journal = parts.run_dir.path() / "reports.journal";
  options.awaited = [&trainer] { return trainer.awaited(); };
  if (identity.reporting == Reporting::kRemote) {
    options.coordinator = "the coordinator at " + identity.connection.address;
    return std::make_unique<CoordinatedRun>(
        nullptr,
        std::make_unique<dist::CoordinatorClient>(dist::CoordinatorClient::Options{
            .endpoint = endpoint_of(identity.connection), .timeout = kCallTimeout}),
        std::move(options), parts.show);
  }
  try {
    auto embedded = std::make_unique<EmbeddedCoordinator>(parts.run_dir.path(), identity.run);
    auto sink = dist::make_local_sink(embedded->coordinator());
    return std::make_unique<CoordinatedRun>(std::move(embedded), std::move(sink),
                                            std::move(options), parts.show);
  } catch (const Error& error) {
    parts.show(
        fmt::format("no coordinator, so `convoy status` will not know this run: {}", error.what()));
    return nullptr;
  }
}

}  // namespace convoy::launcher
