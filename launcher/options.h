// What a command line asks for. Parsing is a pure function: it opens no file but --config, prints
// nothing and ends nothing; main does.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "convoy/v1/model.pb.h"
#include "core/base/check.h"
#include "dist/trainer.h"
#include "launcher/coordinator_options.h"
#include "launcher/report_options.h"
#include "launcher/retention.h"

namespace convoy::launcher {

/// A command line that cannot be understood; exit code 2.
class UsageError : public Error {
 public:
  using Error::Error;
};

enum class DatasetName { kMnist, kFashionMnist, kSynthetic };

/// "mnist", "fashion-mnist", "synthetic".
std::string dataset_str(DatasetName name);

enum class PlotFormat { kPng, kSvg, kNone };

/// "png", "svg", "none".
std::string plot_format_str(PlotFormat format);

struct DataOptions {
  std::optional<DatasetName> dataset = {};  ///< default: the checkpoint's; of training, MNIST
  std::filesystem::path directory = {};     ///< four IDX files; empty: the data set's usual place
  bool raw_pixels = false;                  ///< 0..255 instead of 0..1
};

/// "auto", "off", "poll", "thread".
std::string overlap_str(dist::Overlap overlap);

/// "stop", "skip", "rollback".
std::string on_nan_str(dist::OnNan on_nan);
/// Throws UsageError for another word.
dist::OnNan parse_on_nan(const std::string& text);

inline constexpr int kMaxMicroShards = 1024;

/// How many ranks there are, where they run and how they work together.
struct DistributedOptions {
  std::optional<int> ranks = {};        ///< to be started, or those of the MPI job this is part of
  std::filesystem::path hostfile = {};  ///< Open MPI's format; empty: this machine
  bool dry_run = false;                 ///< only show how ranks would be started
  std::chrono::seconds timeout{60};     ///< how long a rank waits for another
  dist::ReduceOptions reduce = {};
  bool reproducible = false;
  int micro_shards = 8;
  bool shard_optimizer = false;
  dist::OnNan on_nan = dist::OnNan::kStop;
  std::int64_t check_every = 100;  ///< steps; 0: never
};

struct TrainOptions {
  DataOptions data = {};
  std::string model = "tutorial";  ///< a name or a file
  /// What the command line says of the recipe, and nothing else; resolve_recipe (launcher/recipe.h)
  /// lays it over the model's.
  v1::Recipe recipe = {};
  std::optional<bool> augment = {};  ///< default: as the model's recipe says
  std::int64_t accumulate = 1;
  std::uint64_t seed = 0;
  std::optional<std::int64_t> max_steps = {};
  bool shuffle = true;
  std::filesystem::path init_from = {};  ///< safetensors; empty: random weights
  std::filesystem::path run_dir = {};    ///< empty: a new one below runs/
  /// Go on with a run: its directory or a checkpoint's; empty: run_dir, or else the newest run.
  std::optional<std::filesystem::path> resume = {};
  std::optional<std::int64_t> checkpoint_every = {};  ///< steps; also after every epoch
  Retention keep = {};                                ///< which checkpoints
  DistributedOptions distributed = {};
  ReportOptions report = {};
  std::optional<int> threads = {};  ///< of each rank
  PlotFormat plots = PlotFormat::kPng;
  bool tensorboard = true;  ///< write an event file
  bool json = false;
  bool quiet = false;
  /// What was said, those of --config first: for laying it over another run's options.
  std::vector<std::string> arguments = {};
};

struct EvaluateOptions {
  /// A run directory, a checkpoint directory or a .safetensors file.
  std::filesystem::path checkpoint = {};
  std::string model = {};  ///< a name or a file; empty: the checkpoint's
  DataOptions data = {};
  std::optional<int> threads = {};
  bool json = false;
  bool quiet = false;
};

struct PredictOptions {
  std::filesystem::path checkpoint = {};
  std::filesystem::path images = {};  ///< IDX; empty: the data set's test images
  std::filesystem::path labels = {};  ///< IDX, for `images`; empty: not known
  std::string model = {};
  DataOptions data = {};
  int count = 40;
  std::filesystem::path output = "predictions.png";
  std::optional<int> threads = {};
  bool json = false;
  bool quiet = false;
};

struct ExportOptions {
  std::string model = "tutorial";
};

struct DoctorOptions {
  std::optional<int> ranks = {};    ///< on this machine; default: one per core
  std::optional<int> threads = {};  ///< of each; default: cores / ranks
  bool json = false;
};

/// One rank of a job that doctor starts to see whether jobs work.
struct DoctorRankOptions {};

struct BenchScalingOptions {
  std::optional<int> ranks = {};        ///< the most; default: one per core
  std::filesystem::path hostfile = {};  ///< as for training
  std::string model = "tutorial";
  std::int64_t batch_per_rank = 32;
  std::optional<std::int64_t> batch_size = {};  ///< of all ranks together, instead
  int threads = 1;                              ///< of each rank
  std::int64_t steps = 100;
  int rounds = 3;
  std::vector<std::string> train_options = {};  ///< more of them, as convoy train takes them
  std::int64_t hosts = 1024;                    ///< to predict up to
  double latency_us = 50.0;                     ///< one way
  double bandwidth_gbit = 10.0;                 ///< of a host, in each direction
  double message_us = 5.0;                      ///< of the processor, per message
  bool json = false;
  bool quiet = false;
};

struct BenchCoordinatorOptions {
  std::string address = {};               ///< HOST:PORT of a running coordinator; empty: start one
  std::filesystem::path token_file = {};  ///< of that one
  std::vector<int> workers = {1, 100, 1000};
  int seconds = 10;  ///< of each phase
  bool json = false;
  bool quiet = false;
};

/// --help or --version: to be printed on stdout, exit code 0.
struct HelpText {
  std::string text = {};
};

using Command =
    std::variant<HelpText, TrainOptions, EvaluateOptions, PredictOptions, ExportOptions,
                 DoctorOptions, DoctorRankOptions, BenchScalingOptions, BenchCoordinatorOptions,
                 StatusOptions, StopOptions, CoordinatorOptions, LogLevelOptions>;

/// Throws UsageError, with the nearest name for one that is not known and the number for one out of
/// its range. Options of --config FILE are taken as if they stood before those of the command line,
/// which therefore win.
Command parse_command_line(int argc, const char* const* argv);

/// `base` with what `arguments`, TrainOptions::arguments of another run, say otherwise. Throws
/// UsageError.
TrainOptions lay_over(const TrainOptions& base, const std::vector<std::string>& arguments);

}  // namespace convoy::launcher
