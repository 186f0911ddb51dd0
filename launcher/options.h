// What a command line asks for. Parsing is a pure function: it opens no file but --config, prints
// nothing and ends nothing; main does.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>

#include "convoy/v1/model.pb.h"
#include "core/base/check.h"

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
  std::optional<int> threads = {};
  PlotFormat plots = PlotFormat::kPng;
  bool json = false;
  bool quiet = false;
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

/// --help or --version: to be printed on stdout, exit code 0.
struct HelpText {
  std::string text = {};
};

using Command =
    std::variant<HelpText, TrainOptions, EvaluateOptions, PredictOptions, ExportOptions>;

/// Throws UsageError, with the nearest name for one that is not known and the number for one out of
/// its range. Options of --config FILE are taken as if they stood before those of the command line,
/// which therefore win.
Command parse_command_line(int argc, const char* const* argv);

}  // namespace convoy::launcher
