#include "launcher/recorder.h"

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "core/io/checkpoint.h"
#include "core/io/state_dict.h"
#include "launcher/json.h"

namespace convoy::launcher {
namespace {

namespace fs = std::filesystem;

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

Recorder::Recorder(const TrainOptions& options, const RunDir& run_dir, const TrainedModel& model)
    : options_(options), run_dir_(run_dir), model_(model), progress_(progress_options(options)) {}

void Recorder::on_epoch_begin(std::int64_t epoch, std::int64_t images) {
  progress_.begin_epoch(static_cast<int>(epoch), images);
}

void Recorder::on_step(const dist::Position&, const dist::Metrics& so_far) {
  show(so_far);
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

// Keeps this checkpoint and the one before.
void Recorder::on_checkpoint(const dist::Snapshot& snapshot) {
  const dist::Position& position = snapshot.position;
  const nlohmann::ordered_json state = {{"epoch", position.epoch},
                                        {"batch", position.batch},
                                        {"step", position.step},
                                        {"optimizer_step", snapshot.optimizer_step},
                                        {"config", nlohmann::json::parse(config_text(options_))}};
  const fs::path written = io::write_checkpoint(
      run_dir_.checkpoints(), position.step,
      {.model = weights_file(model_),
       .optimizer = {.tensors = io::optimizer_state_dict(*model_.store, snapshot.optimizer),
                     .metadata = {}},
       .state_json = state.dump(2) + "\n"});
  if (!previous_.empty() && previous_ != last_ && previous_ != written) {
    fs::remove_all(previous_);
  }
  previous_ = std::exchange(last_, written);
}

bool Recorder::stop_requested() {
  return stop_.requested();
}

void Recorder::show(const dist::Metrics& metrics) {
  progress_.update(
      {.images = metrics.images, .loss = metrics.loss(), .accuracy = metrics.accuracy()});
}

}  // namespace convoy::launcher
