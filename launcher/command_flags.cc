// Which flags each subcommand has.
#include <CLI/App.hpp>
#include <array>

#include "core/base/printable.h"
#include "launcher/flags.h"

namespace convoy::launcher {
namespace {

// In the order of DatasetName.
std::span<const std::string> dataset_names() {
  static const std::array<std::string, 3> names = {"mnist", "fashion-mnist", "synthetic"};
  return names;
}

// In the order of PlotFormat.
std::span<const std::string> plot_format_names() {
  static const std::array<std::string, 3> names = {"png", "svg", "none"};
  return names;
}

constexpr const char* kTrainExamples = R"(Examples:
  convoy train                        the tutorial's network on MNIST, 15 epochs
  convoy train --model best           a small network with a better recipe
  convoy train --dataset fashion-mnist --epochs 5 --lr 3e-4
  convoy train --model net.textproto --data my-images --optimizer sgd
  convoy train -n 4                   the same on four ranks: MPI processes
  convoy train --config train.toml    lines such as batch-size = 64
  convoy train --resume               go on with the newest run
)";

constexpr const char* kEvaluateExamples = R"(Examples:
  convoy evaluate runs/latest
  convoy evaluate runs/latest --raw-pixels    what forgetting to scale costs
  convoy evaluate weights.safetensors --model tutorial --json
)";

constexpr const char* kPredictExamples = R"(Examples:
  convoy predict runs/latest          40 test images, drawn in predictions.png
  convoy predict runs/latest digits-idx3-ubyte.gz --output digits.svg
)";

constexpr const char* kExportExamples = R"(Examples:
  convoy export --model tutorial > net.textproto
)";

void add_data_flags(CLI::App& app, DataOptions& data, const std::string& dataset_default) {
  const std::string group = "Data";
  add_value(
      app, {"--dataset", "NAME", "mnist, fashion-mnist or synthetic " + dataset_default, group},
      [&data](const std::string& text) {
        data.dataset = static_cast<DatasetName>(parse_word("--dataset", text, dataset_names()));
      });
  add_path(app, {"--data", "DIR", "Directory of four IDX files, plain or gzipped", group},
           data.directory);
  add_switch(app, {"--raw-pixels", "", "Leave pixels at 0..255 instead of 0..1", group},
             [&data](bool on) { data.raw_pixels = on; });
}

void add_model_flag(CLI::App& app, std::string& model, const std::string& standard) {
  add_value(app, {"--model", "NAME|FILE", "tutorial, lenet5, best or a file " + standard, "Model"},
            [&model](const std::string& text) {
              if (text.empty()) {
                throw UsageError("--model: the name is empty");
              }
              model = text;
            });
}

template <typename Options>
void add_run_flags(CLI::App& app, Options& options) {
  const std::string group = kProgram;
  add_value(app, {"--threads", "N", "Threads [OMP_NUM_THREADS, or all cores]", group},
            [&options](const std::string& text) {
              options.threads = static_cast<int>(parse_whole("--threads", text, range(1, 4096)));
            });
  add_switch(app, {"--json", "", "Print one JSON object on stdout when done", group},
             [&options](bool on) { options.json = on; });
  add_switch(app, {"--quiet", "", "No progress on stderr", group},
             [&options](bool on) { options.quiet = on; });
}

// A positional argument; `required` ones are named if they are missing.
void add_argument(CLI::App& app, const Flag& flag, std::filesystem::path& target, bool required) {
  app.add_option_function<std::string>(
         flag.name, [&target](const std::string& text) { target = text; }, flag.help)
      ->type_name("")
      ->required(required);
}

}  // namespace

std::string dataset_str(DatasetName name) {
  return dataset_names()[static_cast<std::size_t>(name)];
}

std::string plot_format_str(PlotFormat format) {
  return plot_format_names()[static_cast<std::size_t>(format)];
}

void add_flags(CLI::App& app, TrainOptions& options) {
  app.footer(kTrainExamples);
  add_data_flags(app, options.data, "[mnist]");
  add_model_flag(app, options.model, "[tutorial]");
  add_path(app, {"--init-from", "FILE", "Start from these weights (safetensors)", "Model"},
           options.init_from);
  add_recipe_flags(app, options.recipe);
  const std::string group = "Training";
  add_switch(app, {"--augment,!--no-augment", "", "Distort training images, or never do", group},
             [&options](bool on) { options.augment = on; });
  add_value(app, {"--accumulate", "N", "Batches whose gradients make one step [1]", group},
            [&options](const std::string& text) {
              options.accumulate = parse_whole("--accumulate", text, range(1, 1 << 20));
            });
  add_value(app, {"--seed", "N", "Of weights, order, dropout and augmentation [0]", group},
            [&options](const std::string& text) {
              // JSON and safetensors readers elsewhere hold whole numbers in a double.
              options.seed = static_cast<std::uint64_t>(
                  parse_whole("--seed", text, range(0, 9007199254740991.0)));
            });
  add_value(app, {"--max-steps", "N", "Stop after this many optimizer steps", group},
            [&options](const std::string& text) {
              options.max_steps = parse_whole("--max-steps", text, range(1, 1e15));
            });
  add_switch(app, {"--no-shuffle", "", "Take images in the order of the files", group},
             [&options](bool on) { options.shuffle = !on; });
  add_rank_flags(app, options.distributed);
  add_checkpoint_flags(app, options);
  add_report_flags(app, options.report);
  const std::string output = "Output";
  add_path(app, {"--run-dir", "DIR", "Where the run writes [runs/TIME-MODEL-N]", output},
           options.run_dir);
  add_value(app, {"--plots", "FORMAT", "png, svg or none [png]", output},
            [&options](const std::string& text) {
              options.plots =
                  static_cast<PlotFormat>(parse_word("--plots", text, plot_format_names()));
            });
  add_switch(app, {"--no-tensorboard", "", "Write no TensorBoard event file", output},
             [&options](bool on) { options.tensorboard = !on; });
  add_run_flags(app, options);
}

void add_flags(CLI::App& app, EvaluateOptions& options) {
  app.footer(kEvaluateExamples);
  add_argument(app, {"CHECKPOINT", "", "A run or checkpoint directory, or safetensors"},
               options.checkpoint, true);
  add_model_flag(app, options.model, "[the checkpoint's]");
  add_data_flags(app, options.data, "[the checkpoint's]");
  add_run_flags(app, options);
}

void add_flags(CLI::App& app, PredictOptions& options) {
  app.footer(kPredictExamples);
  add_argument(app, {"CHECKPOINT", "", "A run or checkpoint directory, or safetensors"},
               options.checkpoint, true);
  add_argument(app, {"IMAGES", "", "An IDX file of images [the data set's test images]"},
               options.images, false);
  add_model_flag(app, options.model, "[the checkpoint's]");
  add_data_flags(app, options.data, "[the checkpoint's]");
  add_path(app, {"--labels", "FILE", "An IDX file of the true classes of IMAGES", "Data"},
           options.labels);
  const std::string group = "Output";
  add_value(app, {"--count", "N", "Images to draw, from the first [40]", group},
            [&options](const std::string& text) {
              options.count = static_cast<int>(parse_whole("--count", text, range(1, 1000)));
            });
  add_value(
      app, {"--output", "FILE", "A .png or .svg [predictions.png]", group},
      [&options](const std::string& text) {
        options.output = text;
        const std::string extension = options.output.extension().string();
        if (extension != ".png" && extension != ".svg") {
          throw UsageError(fmt::format("--output {}: must end in .png or .svg", printable(text)));
        }
      });
  add_run_flags(app, options);
}

void add_flags(CLI::App& app, ExportOptions& options) {
  app.footer(kExportExamples);
  add_model_flag(app, options.model, "[tutorial]");
}

}  // namespace convoy::launcher
