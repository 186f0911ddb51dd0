// state.json of a checkpoint: all of a run that is no tensor.
//
//   {"format": "convoy-state", "version": 1, "convoy": "0.1.0",
//    "epoch": 2, "batch": 31, "step": 657, "optimizer_step": 657,    finished epochs, steps of this
//    "train": {"images": 992, "correct": 941, "loss_sum": 201.5},    of the epoch so far
//    "seen": {"images": 992, "sum": "123...", "exclusive_or": "0"},  data::IdDigest; 64-bit numbers
//    "data": "89abcdef01234567",                                     data_digest; older ones lack
//    it "epochs": [...],                                                are decimal strings
//    "config": {...}}                                                as config.json
//
// "epochs" are objects as in metrics.jsonl, one for each finished epoch and, if --max-steps ended
// the run within an epoch, one for that.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "dist/trainer.h"
#include "launcher/metrics.h"
#include "launcher/retention.h"

namespace convoy::launcher {

struct RunState {
  /// Its optimizer state is in optimizer.safetensors instead.
  dist::Snapshot snapshot = {};
  std::vector<EpochMetrics> epochs = {};
  std::string data = {};    ///< data_digest of what it is trained on; "" if that is not known
  std::string config = {};  ///< JSON, for parse_config
  std::string convoy = {};  ///< version that wrote it
};

/// Doubles come back with the same bits; those that are not finite as NaN.
std::string state_text(const RunState& state);

/// Throws Error, naming `source`, for anything else than state_text writes. Everything is checked
/// before it is used: numbers for their type and range, the epochs for their order.
RunState parse_state(std::string_view text, std::string_view source);

/// A state.json. Throws Error, also if it cannot be read or is larger than any run's.
RunState read_state(const std::filesystem::path& file);

/// The checkpoint of this state.
KeptCheckpoint kept_checkpoint(const RunState& state);

}  // namespace convoy::launcher
