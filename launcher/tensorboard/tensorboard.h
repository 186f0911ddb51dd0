// Tells TensorBoard how training goes: an event file in the run's directory.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "dist/observer.h"
#include "launcher/tensorboard/event_file.h"

namespace convoy::launcher {

/// For rank 0. The x axis counts optimizer steps. While training goes on there are the charts
/// train/loss, train/accuracy, learning_rate and images_per_second: 1,000 points for the whole run,
/// as many as TensorBoard keeps of a chart, each of them of all steps since the point before. After
/// each epoch there are epoch/{train,test}_{loss,accuracy}. A run that is gone on with writes a
/// file of its own, which voids what the earlier ones say of steps that are done again.
///
/// Events are written after each epoch, before each checkpoint, and every two seconds, by the
/// thread that trains, and not brought to the disk. Where they cannot be, training goes on without:
/// nothing that a run needs to go on with is lost then.
class TensorBoard : public dist::Observer {
 public:
  struct Options {
    std::filesystem::path directory = {};
    std::string config = {};  ///< the text of config.json: the hyper-parameters
    std::int64_t steps = 1;   ///< of the whole run
    std::int64_t step = 0;    ///< steps done before: 0, or where it goes on
    /// Told once if no more can be written.
    std::function<void(const std::string&)> on_note = [](const std::string&) {};
    std::chrono::milliseconds interval{2000};  ///< least time between writes of single steps
  };
  /// Throws Error if the file cannot be made.
  explicit TensorBoard(Options options);
  TensorBoard(const TensorBoard&) = delete;
  TensorBoard& operator=(const TensorBoard&) = delete;
  /// Writes what there is, also of a run that fails.
  ~TensorBoard() override;

  void on_step(const dist::StepResult& step) override;
  void on_epoch_end(const dist::EpochResult& result) override;
  void on_checkpoint(const dist::Snapshot& snapshot) override;

  /// Of a run that came to its end: adds those of its pictures in `plots` that are PNG files, and
  /// that it succeeded. Throws Error if a picture cannot be read.
  void finish(const std::filesystem::path& plots);

 private:
  using Clock = std::chrono::steady_clock;

  void add_point();
  void flush();

  Options options_;
  EventFile file_;
  std::int64_t steps_per_point_;
  std::int64_t step_;  // steps done
  double learning_rate_ = 0.0;
  dist::Metrics since_point_;
  std::chrono::duration<double> time_since_point_{0};  // of training alone
  Clock::time_point flushed_;
};

}  // namespace convoy::launcher
