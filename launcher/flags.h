// Flags of one subcommand, on top of CLI11: each with its range, so that a refusal gives the number
// and what is accepted. Everything here throws UsageError. CLI11's headers are for .cc files alone.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "convoy/v1/rule.pb.h"
#include "launcher/options.h"

namespace CLI {
class App;
}  // namespace CLI

namespace convoy::launcher {

/// How a flag is shown by --help.
struct Flag {
  std::string name = {};   ///< "--epochs"
  std::string value = {};  ///< "N"
  std::string help = {};
  std::string group = {};  ///< the heading it stands under
};

/// Calls `take` with what follows the flag.
void add_value(CLI::App& app, const Flag& flag,
               const std::function<void(const std::string&)>& take);
void add_path(CLI::App& app, const Flag& flag, std::filesystem::path& target);
/// Sets or clears `target`; "--[no-]augment" has an opposite too.
void add_switch(CLI::App& app, const Flag& flag, std::function<void(bool)> take);

/// Whole numbers and others. `name` is for the message: "--epochs 0: must be 1 to 1000000".
std::int64_t parse_whole(const std::string& name, const std::string& text, const v1::Rule& rule);
double parse_number(const std::string& name, const std::string& text, const v1::Rule& rule);
/// The index of `text` in `words`; otherwise the nearest of them is suggested.
std::size_t parse_word(const std::string& name, const std::string& text,
                       std::span<const std::string> words);

v1::Rule range(double min, double max);

/// The heading of flags that have nothing to do with training.
inline constexpr const char* kProgram = "Program";

/// All flags, arguments and examples of a subcommand but --config and --help.
void add_flags(CLI::App& app, TrainOptions& options);
void add_flags(CLI::App& app, EvaluateOptions& options);
void add_flags(CLI::App& app, PredictOptions& options);
void add_flags(CLI::App& app, ExportOptions& options);
void add_flags(CLI::App& app, DoctorOptions& options);
void add_flags(CLI::App& app, BenchScalingOptions& options);
void add_flags(CLI::App& app, BenchCoordinatorOptions& options);
void add_flags(CLI::App& app, StatusOptions& options);
void add_flags(CLI::App& app, StopOptions& options);
void add_flags(CLI::App& app, CoordinatorOptions& options);
void add_flags(CLI::App& app, LogLevelOptions& options);

/// Starting ranks and what they do together.
void add_rank_flags(CLI::App& app, DistributedOptions& options);

/// Of flags about reaching a coordinator.
inline constexpr const char* kCoordinator = "Coordinator";
/// Its token and TLS.
void add_access_flags(CLI::App& app, ConnectionOptions& options);
/// HOST:PORT or [V6]:PORT; `name` is for the message.
std::string parse_address(const std::string& name, const std::string& text);

/// Which coordinator a run reports to.
void add_report_flags(CLI::App& app, ReportOptions& options);

/// --resume and what decides which checkpoints there are.
void add_checkpoint_flags(CLI::App& app, TrainOptions& options);

/// Reaching a coordinator. `address_help` explains --coordinator.
void add_connection_flags(CLI::App& app, ConnectionOptions& options,
                          const std::string& address_help);

/// A flag per field of v1::Recipe, with the schema's ranges and words.
void add_recipe_flags(CLI::App& app, v1::Recipe& recipe);

/// The arguments that stand for `file`'s lines: "epochs = 5" is "--epochs=5". Lines below a heading
/// [train] count for that command alone. Throws UsageError if it cannot be read.
std::vector<std::string> read_config_arguments(const std::filesystem::path& file,
                                               const std::string& command,
                                               std::span<const std::string> commands);

}  // namespace convoy::launcher
