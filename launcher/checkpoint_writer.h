// Checkpoints of a run, written on a thread of their own while training goes on.
#pragma once

#include <filesystem>
#include <future>
#include <vector>

#include "launcher/retention.h"
#include "launcher/run_state.h"
#include "launcher/trained_model.h"

namespace convoy::launcher {

/// Writes one checkpoint at a time; whoever brings the next one meanwhile waits, so there is never
/// more than one copy of weights and optimizer besides what is trained; a run's last checkpoint is
/// written from where they lie. After one is written and
/// read back, those that the retention no longer keeps are deleted. Damaged ones that it does not
/// know of are left alone. Called by one thread.
class CheckpointWriter {
 public:
  struct Options {
    std::filesystem::path directory = {};
    Retention keep = {};
    std::vector<KeptCheckpoint> there = {};  ///< good ones in `directory`
  };

  /// `model` must outlive it; its values are not looked at.
  CheckpointWriter(const TrainedModel& model, Options options);
  /// Waits for the one in flight; its error, if there is one, is lost.
  ~CheckpointWriter() = default;

  /// Begins to write copies of these: ParameterStore::all_values(), and a state whose snapshot has
  /// the optimizer's; or themselves if that is the last, then they must stay until `wait`. Waits
  /// for an earlier one first, and throws what that met.
  void write(std::span<const float> all_values, RunState state);

  /// Throws what the last write met, once, as soon as it is known: a full disk, say.
  void check();
  /// Waits for the last write, and throws what it met.
  void wait();

  /// The newest that was written by the last `check` or `wait`; empty if there is none.
  const std::filesystem::path& newest() const { return newest_; }

 private:
  std::filesystem::path write_now(std::span<const float> all_values, const RunState& state);
  void delete_superfluous();

  const TrainedModel& model_;
  Options options_;
  std::filesystem::path newest_;
  // Its destructor waits, so it comes last: the thread uses what stands above.
  std::future<std::filesystem::path> in_flight_;
};

}  // namespace convoy::launcher
