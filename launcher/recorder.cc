#include "launcher/recorder.h"

#include <unistd.h>

#include "launcher/json.h"
#include "launcher/notice.h"
#include "launcher/stop_signal.h"

namespace convoy::launcher {
namespace {

Progress::Options progress_options(const TrainOptions& options) {
  return {.terminal = terminal_of(STDERR_FILENO),
          .columns = [] { return terminal_columns(STDERR_FILENO); },
          .epochs = options.recipe.epochs(),
          .quiet = options.quiet};
}

EpochMetrics epoch_metrics(const dist::EpochResult& result) {
  return {.epoch = static_cast<int>(result.epoch),
          .train_loss = result.train.loss(),
          .train_accuracy = result.train.accuracy(),
          .test_loss = result.test.metrics.loss(),
          .test_accuracy = result.test.metrics.accuracy(),
          .images_per_second = result.images_per_second,
          .seconds = result.duration};
}

}  // namespace

Recorder::Recorder(Parts parts)
    : run_dir_(parts.run_dir),
      model_(parts.model),
      config_(config_text(parts.options)),
      data_digest_(std::move(parts.data_digest)),
      progress_(progress_options(parts.options)),
      epochs_(std::move(parts.epochs)),
      writer_(parts.model, {.directory = parts.run_dir.checkpoints(),
                            .keep = parts.options.keep,
                            .there = std::move(parts.checkpoints)}) {}

void Recorder::on_epoch_begin(std::int64_t epoch, std::int64_t images) {
  progress_.begin_epoch(static_cast<int>(epoch), images);
}

void Recorder::on_step(const dist::StepResult& step) {
  show(step.so_far);
  writer_.check();
  // Often enough to say where training was when it ended.
  if (const auto now = std::chrono::steady_clock::now();
      now - notified_ > std::chrono::milliseconds(200)) {
    notify_launcher(kStep, std::to_string(step.position.step));
    notified_ = now;
  }
}

void Recorder::on_test_begin(std::int64_t images) {
  progress_.begin("testing", images);
}

void Recorder::on_test_batch(const dist::Metrics& so_far) {
  show(so_far);
}

void Recorder::on_epoch_end(const dist::EpochResult& result) {
  epochs_.push_back(epoch_metrics(result));
  progress_.finish_epoch(epochs_.back());
  run_dir_.append(epochs_.back());
  evaluation_ = result.test;
}

void Recorder::on_checkpoint(const dist::Snapshot& snapshot) {
  writer_.write(model_.store->all_values(), {.snapshot = snapshot,
                                             .epochs = epochs_,
                                             .data = data_digest_,
                                             .config = config_,
                                             .convoy = CONVOY_VERSION});
}

const std::filesystem::path& Recorder::last_checkpoint() {
  writer_.wait();
  return writer_.newest();
}

void Recorder::on_note(const std::string& text) {
  progress_.note(text);
}

bool Recorder::stop_requested() {
  return StopSignal::requested();
}

void Recorder::show(const dist::Metrics& metrics) {
  progress_.update(
      {.images = metrics.images, .loss = metrics.loss(), .accuracy = metrics.accuracy()});
}

}  // namespace convoy::launcher
