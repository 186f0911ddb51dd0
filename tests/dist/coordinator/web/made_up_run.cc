#include "tests/dist/coordinator/web/made_up_run.h"

#include <algorithm>
#include <cmath>
#include <future>
#include <memory>

namespace convoy::testing {
namespace {

using std::chrono::nanoseconds;

constexpr std::int64_t kTestImages = 10'000;

void set(google::protobuf::Duration& to, nanoseconds time) {
  to.set_seconds(time.count() / 1'000'000'000);
  to.set_nanos(static_cast<std::int32_t>(time.count() % 1'000'000'000));
}

/// As the trainer's are, so that sums are exact.
double round_loss(double loss) {
  return std::round(loss * (1 << 24)) / (1 << 24);
}

void add(v1::Sums& to, const v1::Sums& sums) {
  to.set_images(to.images() + sums.images());
  to.set_correct(to.correct() + sums.correct());
  to.set_loss_sum(to.loss_sum() + sums.loss_sum());
}

v1::Sums sums_of(std::int64_t images, double loss, double accuracy) {
  v1::Sums sums;
  sums.set_images(images);
  sums.set_correct(std::llround(static_cast<double>(images) * std::clamp(accuracy, 0.0, 1.0)));
  sums.set_loss_sum(round_loss(static_cast<double>(images) * loss));
  return sums;
}

/// Calls `tell` with a Done, and returns when that was called.
template <typename Tell>
void wait_for_disk(const Tell& tell) {
  auto saved = std::make_shared<std::promise<void>>();
  std::future<void> done = saved->get_future();
  tell([saved](std::exception_ptr failure) {
    failure ? saved->set_exception(failure) : saved->set_value();
  });
  done.get();
}

}  // namespace

MadeUpRun::MadeUpRun(dist::Coordinator& coordinator, MadeUpClock& clock,
                     const MadeUpOptions& options)
    : coordinator_(coordinator),
      clock_(clock),
      options_(options),
      steps_per_epoch_((options.images + options.batch_size - 1) / options.batch_size) {
  v1::RegisterRunRequest request;
  request.set_run(options.run);
  request.set_generation(1);
  request.set_attempt("made-up");
  v1::RunSpec& spec = *request.mutable_spec();
  spec.set_model(options.model);
  spec.set_dataset(options.dataset);
  spec.set_batch_size(options.batch_size);
  spec.set_epochs(options.epochs);
  spec.set_steps(steps());
  spec.set_steps_per_epoch(steps_per_epoch_);
  spec.set_images_per_epoch(options.images);
  spec.set_parameters(1'365'531);
  spec.set_world_size(options.ranks);
  spec.set_threads(2);
  spec.set_run_dir("/home/ada/runs/" + options.run);
  spec.set_convoy_version("0.1.0");
  spec.set_options_json("{}");
  for (int rank = 0; rank < options.ranks; ++rank) {
    v1::RankInfo& info = *request.add_ranks();
    info.set_rank(rank);
    info.set_host("node" + std::to_string(rank / 2 + 1));
    info.set_pid(41'007 + 3 * rank);
  }
  request.set_first_sequence(1);
  request.mutable_lease()->set_seconds(3600);
  wait_for_disk([&](auto done) { coordinator_.register_run(request, done); });
}

void MadeUpRun::add_step(v1::ReportProgressRequest& report) {
  ++step_;
  const double epochs = static_cast<double>(step_) / static_cast<double>(steps_per_epoch_);
  std::normal_distribution<double> noise;
  const double error = 1 - options_.accuracy + 0.09 * std::exp(-epochs) +
                       0.8 * std::exp(-epochs * 25) + 0.01 / (1 + epochs);
  const std::int64_t done = (step_ - 1) % steps_per_epoch_ * options_.batch_size;
  const std::int64_t images = std::min(options_.batch_size, options_.images - done);

  v1::StepReport& step = *report.add_steps();
  step.set_step(step_);
  step.set_epoch(epoch());
  step.set_learning_rate(0.001);
  const double slow = options_.slow_rank >= 0 ? 1.5 : 1;
  const nanoseconds time(
      static_cast<std::int64_t>(11e6 * slow * (1 + 0.04 * std::abs(noise(random_)))));
  set(*step.mutable_duration(), time);
  clock_.advance(time);
  epoch_time_ += time;
  for (int rank = 0; rank < options_.ranks; ++rank) {
    const std::int64_t own = images * (rank + 1) / options_.ranks - images * rank / options_.ranks;
    const double wrong = std::max(0.0, error * (1 + 0.35 * noise(random_)));
    v1::RankStep& part = *step.add_ranks();
    part.set_rank(rank);
    *part.mutable_sums() = sums_of(own, 2.9 * wrong + 0.002, 1 - wrong);
    add(so_far_, part.sums());
    const double busy = rank == options_.slow_rank ? 0.97 : 0.93 / slow - 0.015 * rank;
    const nanoseconds computing(
        static_cast<std::int64_t>(busy * static_cast<double>(time.count())));
    set(*part.mutable_computing(), computing);
    set(*part.mutable_waiting(), time - computing);
  }
}

void MadeUpRun::report(v1::ReportProgressRequest& report) {
  report.set_run(options_.run);
  report.set_generation(1);
  report.set_rank(0);
  report.set_sequence(++sequence_);
  wait_for_disk([&](auto done) { coordinator_.report_progress(report, done); });
  v1::HeartbeatRequest heartbeat;
  heartbeat.set_run(options_.run);
  heartbeat.set_generation(1);
  for (int rank = 1; rank < options_.ranks; ++rank) {
    heartbeat.add_alive(rank);
  }
  heartbeat.set_phase(v1::PHASE_TRAINING);
  wait_for_disk([&](auto done) { coordinator_.heartbeat(heartbeat, done); });
}

void MadeUpRun::take_steps(std::int64_t count) {
  constexpr std::int64_t kSteps = 100;
  while (count > 0) {
    const std::int64_t of_epoch = step_ % steps_per_epoch_;
    if (step_ > 0 && of_epoch == 0) {
      so_far_.Clear();
    }
    const std::int64_t now = std::min({count, kSteps, steps_per_epoch_ - of_epoch});
    v1::ReportProgressRequest request;
    for (std::int64_t i = 0; i < now; ++i) {
      add_step(request);
    }
    report(request);
    count -= now;
    if (step_ % steps_per_epoch_ == 0) {
      finish_epoch();
    }
  }
}

void MadeUpRun::finish_epoch() {
  const auto epochs = static_cast<double>(epoch());
  const double wrong = 1 - options_.accuracy + 0.012 * std::exp(-epochs / 2) + 0.004 / epochs;
  v1::FinishEpochRequest request;
  request.set_run(options_.run);
  request.set_generation(1);
  request.set_rank(0);
  request.set_sequence(++sequence_);
  v1::EpochMetrics& metrics = *request.mutable_epoch();
  metrics.set_epoch(epoch());
  *metrics.mutable_train() = so_far_;
  *metrics.mutable_test() = sums_of(kTestImages, 3.1 * wrong, 1 - wrong);
  metrics.set_images_per_second(static_cast<double>(options_.images) * 1e9 /
                                static_cast<double>(epoch_time_.count()));
  set(*metrics.mutable_duration(), epoch_time_ + std::chrono::milliseconds(400));
  metrics.mutable_end_time()->set_seconds(std::chrono::system_clock::to_time_t(clock_.now()));
  wait_for_disk([&](auto done) { coordinator_.finish_epoch(request, done); });
  last_epoch_ = metrics;
  epoch_time_ = {};
}

void MadeUpRun::finish(v1::RunState state, const std::string& reason) {
  v1::FinishRunRequest request;
  request.set_run(options_.run);
  request.set_generation(1);
  request.set_sequence(++sequence_);
  request.set_state(state);
  request.set_reason(reason);
  wait_for_disk([&](auto done) { coordinator_.finish_run(request, done); });
}

void MadeUpRun::note(v1::Severity severity, const std::string& text) {
  v1::ReportProgressRequest request;
  v1::Note& note = *request.add_notes();
  note.set_severity(severity);
  note.set_text(text);
  report(request);
}

}  // namespace convoy::testing
