#include "launcher/options.h"

#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include <array>
#include <vector>

#include "core/base/nearest.h"
#include "core/base/printable.h"
#include "launcher/flags.h"
#include "launcher/help.h"

namespace convoy::launcher {
namespace {

using Arguments = std::vector<std::string>;

struct CommandName {
  std::string name = {};
  std::string description = {};
};

CommandName train_command() {
  return {.name = "train", .description = "Trains a model."};
}

std::span<const std::string> command_names() {
  static const std::array<std::string, 9> names = {
      "train", "evaluate", "predict", "status", "stop", "coordinator", "export", "doctor", "bench"};
  return names;
}

constexpr const char* kOverview =
    R"(convoy trains convolutional networks data-parallel on CPUs.

  convoy train                     train a model and show what it learned
  convoy evaluate CHECKPOINT       measure it on the test images
  convoy predict CHECKPOINT        draw images with what it takes them for
  convoy status [RUN]              how a run is doing; --watch, --ranks, --history, --all
  convoy stop [RUN]                end a run with a checkpoint to resume from
  convoy coordinator               keep and show the state of many runs, from any host
  convoy export --model tutorial   print a model file to start from
  convoy doctor                    what stands in the way of training here, and how to clear it
  convoy bench scaling             how much faster more ranks are, and what to expect of hosts
  convoy bench coordinator         how many workers a coordinator bears

  convoy COMMAND --help            its options and examples
  convoy --version

Exit codes: 0 done; 1 error; 2 bad usage; 3 the ranks differ in what they run; 75 stopped on request,
with a checkpoint to resume from.
)";

// CLI11 neither guesses which name was meant nor says plainly that a value is missing.
void check_names(const CLI::App& app, const Arguments& arguments) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      names.push_back("--" + name);
    }
  }
  for (std::size_t i = 0; i < arguments.size() && arguments[i] != "--"; ++i) {
    const std::string& argument = arguments[i];
    const bool is_number = argument.find_first_of("0123456789.") == 1;
    if (!argument.starts_with('-') || is_number || argument == "-") {
      continue;
    }
    const std::string name = argument.substr(0, argument.find('='));
    const CLI::Option* option = app.get_option_no_throw(name);
    if (option == nullptr) {
      throw UsageError(fmt::format("unknown option {}{}\n{} --help lists the options",
                                   printable(name), did_you_mean(name, names), app.get_name()));
    }
    const bool joined = name != argument;  // --name=value
    std::string value = joined ? argument.substr(name.size() + 1) : "";
    if (option->get_items_expected_max() > 0 && option->get_items_expected_min() == 0) {
      continue;  // a value or none
    }
    if (option->get_items_expected_min() == 0) {
      if (joined && value != "true" && value != "false") {
        throw UsageError(fmt::format("{} {}: must be true or false", name, printable(value)));
      }
      continue;
    }
    if (!joined && ++i < arguments.size() && !arguments[i].starts_with("--")) {
      value = arguments[i];
    }
    if (value.empty()) {
      throw UsageError(fmt::format("{} needs a value: {} {}", name, name, option->get_type_name()));
    }
  }
}

template <typename Options>
struct Parsed {
  Options options = {};
  std::filesystem::path config = {};
  std::optional<HelpText> help = {};
};

template <typename Options>
Parsed<Options> parse(const CommandName& command, const Arguments& arguments,
                      bool positionals_needed, Options base = {}) {
  Parsed<Options> parsed = {.options = std::move(base)};
  CLI::App app(command.description, "convoy " + command.name);
  app.formatter(std::make_shared<HelpFormatter>());
  add_flags(app, parsed.options);
  add_path(app, {"--config", "FILE", "Read options from a TOML or INI file first", kProgram},
           parsed.config);
  app.set_help_flag("-h,--help", "Show this text")->group(kProgram);
  check_names(app, arguments);
  try {
    app.parse(Arguments(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::CallForHelp&) {
    parsed.help = HelpText{app.help()};
  } catch (const CLI::RequiredError& error) {
    if (positionals_needed) {
      throw UsageError(fmt::format("{}\n{} --help shows how", error.what(), app.get_name()));
    }
  } catch (const CLI::ParseError& error) {
    throw UsageError(fmt::format("{}\n{} --help lists the options", error.what(), app.get_name()));
  }
  return parsed;
}

TrainOptions with_arguments(TrainOptions options, Arguments arguments) {
  options.arguments = std::move(arguments);
  return options;
}
template <typename Options>
Options with_arguments(Options options, const Arguments&) {
  return options;
}

template <typename Options>
Command parse_command(const CommandName& command, const Arguments& arguments) {
  auto parsed = parse<Options>(command, arguments, true);
  if (parsed.help) {
    return *parsed.help;
  }
  if (parsed.config.empty()) {
    return with_arguments(std::move(parsed.options), arguments);
  }
  Arguments all;
  try {
    all = read_config_arguments(parsed.config, command.name, command_names());
    parse<Options>(command, all, false);
  } catch (const UsageError& error) {
    throw UsageError(fmt::format("{}: {}", parsed.config.string(), error.what()));
  }
  all.insert(all.end(), arguments.begin(), arguments.end());
  return with_arguments(parse<Options>(command, all, true).options, all);
}

Command parse_coordinator(const Arguments& arguments) {
  if (!arguments.empty() && arguments.front() == "log-level") {
    return parse_command<LogLevelOptions>(
        {"coordinator log-level", "Changes what a coordinator writes to its log, until it ends."},
        {arguments.begin() + 1, arguments.end()});
  }
  Command command = parse_command<CoordinatorOptions>(
      {"coordinator", "Keeps and shows the state of many training runs, from any host."},
      arguments);
  const auto* options = std::get_if<CoordinatorOptions>(&command);
  if (options != nullptr && options->state_dir.empty()) {
    throw UsageError("convoy coordinator: say where to keep state: --state-dir DIR");
  }
  return command;
}

Command parse_bench(const Arguments& arguments) {
  const std::string what = arguments.empty() ? "" : arguments.front();
  const Arguments others(arguments.begin() + (arguments.empty() ? 0 : 1), arguments.end());
  if (what == "scaling") {
    return parse_command<BenchScalingOptions>(
        {"bench scaling", "Measures how much faster training is on more ranks."}, others);
  }
  if (what == "coordinator") {
    return parse_command<BenchCoordinatorOptions>(
        {"bench coordinator", "Measures how many reports a coordinator takes, and how fast."},
        others);
  }
  throw UsageError(
      "convoy bench: say what to measure: convoy bench scaling, or convoy bench coordinator");
}

}  // namespace

Command parse_command_line(int argc, const char* const* argv) {
  const Arguments words(argv + 1, argv + argc);
  const std::string first = words.empty() ? "" : words.front();
  if (first == "--help" || first == "-h" || first == "help") {
    return HelpText{kOverview};
  }
  if (first == "--version") {
    return HelpText{"convoy " CONVOY_VERSION "\n"};
  }
  const std::string advice = "\nconvoy --help shows what there is";
  if (first.empty()) {
    throw UsageError(
        fmt::format("a command is missing: one of {}{}", fmt::join(command_names(), ", "), advice));
  }
  if (first.starts_with('-')) {
    throw UsageError(fmt::format("{} stands before the command; write convoy train {} ...{}", first,
                                 first, advice));
  }
  const Arguments arguments(words.begin() + 1, words.end());
  if (first == "train") {
    return parse_command<TrainOptions>(train_command(), arguments);
  }
  if (first == "evaluate") {
    return parse_command<EvaluateOptions>(
        {first, "Measures loss and accuracy of a model on the test images."}, arguments);
  }
  if (first == "predict") {
    return parse_command<PredictOptions>(
        {first, "Draws images with the class that a model takes each of them for."}, arguments);
  }
  if (first == "status") {
    return parse_command<StatusOptions>({first, "Shows how a training run is doing."}, arguments);
  }
  if (first == "stop") {
    return parse_command<StopOptions>(
        {first, "Asks a training run to stop, with a checkpoint to resume from."}, arguments);
  }
  if (first == "coordinator") {
    return parse_coordinator(arguments);
  }
  if (first == "export") {
    return parse_command<ExportOptions>({first, "Prints a model file."}, arguments);
  }
  if (first == "doctor") {
    return parse_command<DoctorOptions>(
        {first, "Looks for what stands in the way of training here."}, arguments);
  }
  if (first == "doctor-rank") {
    return DoctorRankOptions{};
  }
  if (first == "bench") {
    return parse_bench(arguments);
  }
  throw UsageError(fmt::format("unknown command {}{}{}", printable(first),
                               did_you_mean(first, command_names()), advice));
}

TrainOptions lay_over(const TrainOptions& base, const std::vector<std::string>& arguments) {
  return with_arguments(parse<TrainOptions>(train_command(), arguments, true, base).options,
                        arguments);
}

}  // namespace convoy::launcher
