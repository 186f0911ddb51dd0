#include "launcher/checkpoint_writer.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/io/checkpoint.h"
#include "core/io/state_dict.h"

namespace convoy::launcher {

namespace fs = std::filesystem;

CheckpointWriter::CheckpointWriter(const TrainedModel& model, Options options)
    : model_(model), options_(std::move(options)) {}

void CheckpointWriter::write(std::span<const float> all_values, RunState state) {
  wait();
  Tensor copy;
  if (!state.snapshot.last) {
    copy = Tensor::of({static_cast<std::int64_t>(all_values.size())}, all_values);
    all_values = copy.values();
    for (optim::Optimizer::State& part : state.snapshot.optimizer) {
      part.values = part.values.clone();
    }
  }
  in_flight_ = std::async(std::launch::async,
                          [this, copy = std::move(copy), all_values, state = std::move(state)] {
                            return write_now(all_values, state);
                          });
}

void CheckpointWriter::check() {
  if (in_flight_.valid() &&
      in_flight_.wait_for(std::chrono::seconds(0)) == std::future_status::ready) {
    wait();
  }
}

void CheckpointWriter::wait() {
  if (in_flight_.valid()) {
    newest_ = in_flight_.get();
  }
}

// On the thread of its own. Nothing here may use parallel_for, which serves one caller at a time.
fs::path CheckpointWriter::write_now(std::span<const float> all_values, const RunState& state) {
  const KeptCheckpoint kept = kept_checkpoint(state);
  fs::path written = io::write_checkpoint(
      options_.directory, kept.step,
      {.model = weights_file(model_, all_values),
       .optimizer = {io::optimizer_state_sources(*model_.store, state.snapshot.optimizer), {}},
       .state_json = state_text(state)});
  const std::vector<std::string> damage = io::verify_checkpoint(written);
  convoy::check(damage.empty(), "{} was damaged while it was written: {}\nThe disk may be failing.",
                written.string(), fmt::join(damage, "; "));
  std::erase_if(options_.there, [&](const auto& other) { return other.step == kept.step; });
  options_.there.push_back(kept);
  delete_superfluous();
  return written;
}

void CheckpointWriter::delete_superfluous() {
  for (const std::int64_t step : superfluous(options_.there, options_.keep)) {
    io::remove_checkpoint(io::checkpoint_path(options_.directory, step));
    std::erase_if(options_.there, [&](const auto& other) { return other.step == step; });
  }
}

}  // namespace convoy::launcher
