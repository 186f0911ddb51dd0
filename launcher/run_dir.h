// The directory of a run, and what lies where in it:
//
//   config.json               resolved options
//   model.textproto           the model, as it was written
//   metrics.jsonl             one JSON object per epoch and line
//   checkpoints/              to resume from
//   final/model.safetensors   the trained weights
//   plots/                    pictures
//   events.out.tfevents.*     for TensorBoard: one file each time the run is started or gone on
//   with
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "core/base/file_descriptor.h"
#include "launcher/metrics.h"

namespace convoy::launcher {

class RunDir {
 public:
  struct Options {
    std::filesystem::path path = {};  ///< empty: runs/<time>-<model>-<n>, made anew
    std::filesystem::path root = "runs";
    std::string model = "model";  ///< for the default name; a path is cut to its file's stem
    std::chrono::system_clock::time_point now = std::chrono::system_clock::now();
    /// `path` holds a run to go on with; without this such a directory is refused, so that no run
    /// writes over another.
    bool resume = false;
    /// What the run will want to write at least: its weights and a checkpoint, say.
    std::uint64_t needed_bytes = 0;
  };

  /// Makes the directory, or takes an empty one that is there, and proves by writing that
  /// `needed_bytes` fit into it. Processes that do this in the same second get directories of their
  /// own. Throws Error, with path, reason and what to do, if that is not possible; then nothing new
  /// is left behind but `root`. A default one becomes what the symlink `root`/latest points to.
  /// While a new run's RunDir lives, it holds lock_run; to resume, the caller does.
  explicit RunDir(const Options& options);

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path config_file() const { return path_ / "config.json"; }
  std::filesystem::path model_file() const { return path_ / "model.textproto"; }
  std::filesystem::path metrics_file() const { return path_ / "metrics.jsonl"; }
  std::filesystem::path checkpoints() const { return path_ / "checkpoints"; }
  std::filesystem::path final_model() const { return path_ / "final" / "model.safetensors"; }
  std::filesystem::path plots() const { return path_ / "plots"; }

  /// "" or a line to show: why `root`/latest could not be set, which stops nothing.
  const std::string& warning() const { return warning_; }

  /// Adds the epoch's line to metrics.jsonl, whole or not at all. Throws Error.
  void append(const EpochMetrics& metrics) const;
  /// Makes these epochs the whole of metrics.jsonl, in one instant. Throws Error.
  void rewrite(std::span<const EpochMetrics> epochs) const;

 private:
  std::filesystem::path path_;
  std::string warning_;
  FileDescriptor lock_;
};

/// Keeps other processes from resuming the run in `path` for as long as the result lives, or its
/// process: the system gives it back however that ends. Throws Error if another one has it. A file
/// system that cannot lock directories (NFS) is trusted.
FileDescriptor lock_run(const std::filesystem::path& path);

/// Whether `path` is a directory that a run has written to: it has a config.json.
bool is_run_dir(const std::filesystem::path& path);

}  // namespace convoy::launcher
