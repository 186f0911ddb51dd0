// `convoy evaluate`: how good a trained model is on test images.
#include <fmt/format.h>
#include <unistd.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "core/data/catalog.h"
#include "launcher/commands.h"
#include "launcher/cores.h"
#include "launcher/exit_codes.h"
#include "launcher/format.h"
#include "launcher/predictions.h"
#include "launcher/terminal.h"
#include "launcher/trained_model.h"

namespace convoy::launcher {

int run_evaluate(const EvaluateOptions& options, dist::Communicator& communicator) {
  share_cores(communicator, options.threads);
  const std::filesystem::path weights = find_weights(options.checkpoint);
  const std::string name =
      options.data.dataset ? dataset_str(*options.data.dataset) : dataset_of(weights);
  const data::Dataset test = data::open_dataset(name, data::Split::kTest, options.data.directory);
  TrainedModel model = read_model(weights, options.model, test);
  // Ranks may have found different checkpoints of a run that goes on meanwhile.
  share_weights(model, communicator);
  const dist::Evaluation evaluation =
      dist::evaluate(*model.layers, test, communicator, {.raw_pixels = options.data.raw_pixels});
  if (communicator.rank() != 0) {
    return kExitDone;
  }
  const dist::Metrics& metrics = evaluation.metrics;
  if (!options.quiet) {
    const ConfusionMatrix matrix = confusion_of(evaluation, test.class_names());
    std::cerr << fmt::format("{} on {}\n\n", weights.string(), test.name())
              << confusion_text(matrix, {.columns = terminal_columns(STDERR_FILENO),
                                         .colour = terminal_of(STDERR_FILENO).colour})
              << "\n";
  }
  if (options.json) {
    std::cout << nlohmann::ordered_json({{"weights", weights.string()},
                                         {"dataset", test.name()},
                                         {"images", metrics.images},
                                         {"correct", metrics.correct},
                                         {"test_loss", metrics.loss()},
                                         {"test_accuracy", metrics.accuracy()}})
                     .dump()
              << std::endl;
  } else {
    std::cout << fmt::format("test loss {}, accuracy {} ({} of {})\n", format_loss(metrics.loss()),
                             format_percent(metrics.accuracy()), format_count(metrics.correct),
                             format_count(metrics.images));
  }
  return kExitDone;
}

}  // namespace convoy::launcher
