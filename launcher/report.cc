#include "launcher/report.h"

#include <fmt/format.h>
#include <unistd.h>

#include <iostream>
#include <numeric>

#include "core/io/file.h"
#include "launcher/format.h"
#include "launcher/json.h"
#include "launcher/plot/confusion_picture.h"
#include "launcher/plot/curves.h"
#include "launcher/predictions.h"
#include "launcher/terminal.h"

namespace convoy::launcher {
namespace {

constexpr std::int64_t kImages = 40;

void draw_plots(const FinishedRun& run, const ConfusionMatrix& matrix) {
  const auto file = [&](const char* name) {
    return run.run_dir.plots() / fmt::format("{}.{}", name, plot_format_str(run.options.plots));
  };
  const std::string& name = run.model.spec.model.name();
  std::filesystem::create_directories(run.run_dir.plots());
  plot::draw_curves(file("curves"), run.epochs,
                    {.header = {.title = fmt::format("{} on {}", name, run.test.name()),
                                .subtitle = run.run_dir.path().string()}});
  plot::draw_confusion(file("confusion"), matrix, fmt::format("{}: confusion matrix", name));

  const std::vector<dist::Prediction> predictions =
      predict_all(*run.model.layers, run.test, run.options.data.raw_pixels);
  std::vector<std::int64_t> ids(static_cast<std::size_t>(std::min(kImages, run.test.size())));
  std::iota(ids.begin(), ids.end(), 0);
  draw_predictions(file("predictions"), run.test, ids, predictions, true,
                   fmt::format("{}: the first {} images of {}", name, ids.size(), run.test.name()),
                   "predicted class, its probability");
  std::vector<std::int64_t> wrong = mistakes(run.test, predictions);
  if (!wrong.empty()) {
    const std::size_t all = wrong.size();
    wrong.resize(std::min(all, static_cast<std::size_t>(kImages)));
    draw_predictions(file("mistakes"), run.test, wrong, predictions, true,
                     fmt::format("{}: the surest {} of {} mistakes", name, wrong.size(), all),
                     "predicted class, its probability, the true class");
  }
}

}  // namespace

void start_report(const RunDir& run_dir, const TrainOptions& options, const ModelSpec& spec) {
  io::write_file_atomically(run_dir.config_file(), io::as_bytes(config_text(options)));
  io::write_file_atomically(run_dir.model_file(), io::as_bytes(spec.text));
}

void finish_report(const FinishedRun& run) {
  const ConfusionMatrix matrix = confusion_of(run.evaluation, run.test.class_names());
  if (run.options.plots != PlotFormat::kNone) {
    draw_plots(run, matrix);
  }
  if (!run.options.quiet) {
    std::cerr << "\n"
              << confusion_text(matrix, {.columns = terminal_columns(STDERR_FILENO),
                                         .colour = terminal_of(STDERR_FILENO).colour})
              << fmt::format("\ntest accuracy {} ({} of {}), results in {}\n",
                             format_percent(matrix.accuracy()), format_count(matrix.correct()),
                             format_count(matrix.total()), run.run_dir.path().string());
  }
}

}  // namespace convoy::launcher
