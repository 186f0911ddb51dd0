// A checkpoint on disk: a directory that is there whole or not at all.
//
//   DIRECTORY/step-00000300/            eight digits or more: the optimizer steps done
//     model.safetensors                 parameters and buffers, as state_dict.h names them
//     optimizer.safetensors             the optimizer's state, likewise
//     state.json                        the run (epoch, offset, seed, options, metrics): the
//     caller's manifest.json                     {"format": "convoy-checkpoint", "version": 1,
//                                        "files": {NAME: {"bytes": N, "sha256": HEX}, ...}}
//
// It is written as DIRECTORY/.step-00000300.tmp, manifest last, everything brought to the disk
// (fsync), and renamed; so a crash at any moment leaves the older checkpoints and maybe a hidden
// directory, which the next write removes. One process at a time may write into a DIRECTORY.
// What to save, when to resume and what to delete is decided elsewhere.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/io/safetensors.h"

namespace convoy::io {

struct CheckpointContents {
  SafetensorsContent model = {};
  SafetensorsContent optimizer = {};
  std::string state_json = {};
};

/// Where the checkpoint of a step lies.
std::filesystem::path checkpoint_path(const std::filesystem::path& directory, std::int64_t step);

/// Writes the checkpoint of a step, piece by piece, in place of one of that step if there is one,
/// and returns its directory. Creates `directory`. Throws Error and leaves no part of it if that
/// cannot be done.
std::filesystem::path write_checkpoint(const std::filesystem::path& directory, std::int64_t step,
                                       const CheckpointContents& contents);

/// What is wrong with a checkpoint, one line each, beginning with a file's name; empty if every
/// file has the size and digest of the manifest. Throws nothing but std::bad_alloc.
std::vector<std::string> verify_checkpoint(const std::filesystem::path& checkpoint);

/// Deletes a checkpoint; a kill in the middle leaves no part of it under its name. Throws Error.
void remove_checkpoint(const std::filesystem::path& checkpoint);

/// All that are checkpoints by their names, damaged ones too, by step. A directory that is not
/// there has none.
std::map<std::int64_t, std::filesystem::path> list_checkpoints(
    const std::filesystem::path& directory);

struct CheckpointSearch {
  struct Skipped {
    std::filesystem::path checkpoint;
    std::vector<std::string> damage;  ///< as verify_checkpoint gives it
  };
  std::optional<std::filesystem::path> newest_good;
  std::vector<Skipped> skipped;  ///< newer ones that are damaged, newest first
};

/// The checkpoint of the highest step that verifies. A directory that is not there has none.
CheckpointSearch latest_good_checkpoint(const std::filesystem::path& directory);

}  // namespace convoy::io
