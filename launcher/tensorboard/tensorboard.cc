#include "launcher/tensorboard/tensorboard.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/io/file.h"
#include "launcher/tensorboard/summaries.h"

namespace convoy::launcher {
namespace {

constexpr std::int64_t kPoints = 1000;

}  // namespace

TensorBoard::TensorBoard(Options options)
    : options_(std::move(options)),
      file_(options_.directory),
      steps_per_point_(std::max<std::int64_t>(1, (options_.steps + kPoints - 1) / kPoints)),
      step_(options_.step) {
  file_.add(session_start_event(step_ + 1));
  file_.add(hyper_parameters_event(options_.config, std::chrono::system_clock::now()));
  flush();
}

TensorBoard::~TensorBoard() {
  file_.flush();
}

void TensorBoard::on_step(const dist::StepResult& step) {
  step_ = step.position.step;
  learning_rate_ = step.learning_rate;
  time_since_point_ += step.duration;
  for (const dist::StepReport& rank : step.ranks) {
    since_point_.add(rank.metrics());
  }
  if (step_ % steps_per_point_ == 0 || step_ == options_.steps) {
    add_point();
  }
  if (Clock::now() - flushed_ >= options_.interval) {
    flush();
  }
}

void TensorBoard::on_epoch_end(const dist::EpochResult& result) {
  const dist::Metrics& test = result.test.metrics;
  file_.add(
      scalars_event(step_, std::array<Scalar, 4>{{{"epoch/train_loss", result.train.loss()},
                                                  {"epoch/train_accuracy", result.train.accuracy()},
                                                  {"epoch/test_loss", test.loss()},
                                                  {"epoch/test_accuracy", test.accuracy()}}}));
  flush();
}

// A run that goes on from here finds all that led here.
void TensorBoard::on_checkpoint(const dist::Snapshot& /*snapshot*/) {
  flush();
}

void TensorBoard::finish(const std::filesystem::path& plots) {
  for (const char* name : {"predictions", "mistakes", "confusion"}) {
    const std::filesystem::path file = plots / fmt::format("{}.png", name);
    if (std::filesystem::exists(file)) {
      const std::vector<std::byte> png = io::read_file(file);
      file_.add(image_event(step_, name, {reinterpret_cast<const char*>(png.data()), png.size()}));
    }
  }
  file_.add(success_event(std::chrono::system_clock::now()));
  flush();
}

void TensorBoard::add_point() {
  const dist::Metrics metrics = std::exchange(since_point_, {});
  const auto time = std::exchange(time_since_point_, std::chrono::duration<double>{0});
  if (metrics.images == 0) {
    return;  // every step since the point before was left out
  }
  const double speed = static_cast<double>(metrics.images) / time.count();
  file_.add(scalars_event(step_, std::array<Scalar, 4>{{{"train/loss", metrics.loss()},
                                                        {"train/accuracy", metrics.accuracy()},
                                                        {"learning_rate", learning_rate_},
                                                        {"images_per_second", speed}}}));
}

void TensorBoard::flush() {
  flushed_ = Clock::now();
  if (const std::string reason = file_.flush(); !reason.empty()) {
    options_.on_note(fmt::format("TensorBoard is told no more of this run: {}", reason));
  }
}

}  // namespace convoy::launcher
