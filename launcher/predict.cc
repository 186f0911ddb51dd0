// `convoy predict`: a picture of images and what a trained model sees in them.
#include <fmt/format.h>

#include <iostream>
#include <nlohmann/json.hpp>
#include <numeric>

#include "core/base/check.h"
#include "core/base/parallel.h"
#include "core/data/catalog.h"
#include "core/data/idx.h"
#include "launcher/commands.h"
#include "launcher/exit_codes.h"
#include "launcher/plot/canvas.h"
#include "launcher/predictions.h"
#include "launcher/trained_model.h"

namespace convoy::launcher {
namespace {

// The images of an IDX file as a data set; classes are those of `names`.
data::Dataset images_of(const PredictOptions& options, std::vector<std::string> names) {
  data::IdxImages images = data::read_idx_images(options.images);
  std::vector<std::uint8_t> labels(static_cast<std::size_t>(images.count));
  if (!options.labels.empty()) {
    labels = data::read_idx_labels(options.labels, static_cast<int>(names.size()));
    check(static_cast<std::int64_t>(labels.size()) == images.count,
          "{} has {} labels for the {} images of {}", options.labels.string(), labels.size(),
          images.count, options.images.string());
  }
  return data::Dataset({.name = options.images.string(),
                        .height = images.height,
                        .width = images.width,
                        .pixels = std::move(images.pixels),
                        .labels = std::move(labels),
                        .class_names = std::move(names)});
}

}  // namespace

int run_predict(const PredictOptions& options) {
  plot::check_picture_path(options.output);
  if (options.threads) {
    set_num_threads(*options.threads);
  }
  const std::filesystem::path weights = find_weights(options.checkpoint);
  const std::string name =
      options.data.dataset ? dataset_str(*options.data.dataset) : dataset_of(weights);
  const bool own_images = !options.images.empty();
  const data::Dataset dataset =
      own_images ? images_of(options, data::class_names(name))
                 : data::open_dataset(name, data::Split::kTest, options.data.directory);
  const TrainedModel model = read_model(weights, options.model, dataset);
  const std::vector<dist::Prediction> predictions =
      predict_all(*model.layers, dataset, options.data.raw_pixels);
  std::vector<std::int64_t> ids(
      static_cast<std::size_t>(std::min<std::int64_t>(options.count, dataset.size())));
  std::iota(ids.begin(), ids.end(), 0);
  draw_predictions(
      options.output, dataset, ids, predictions, !own_images || !options.labels.empty(),
      fmt::format("{} on {}", model.spec.model.name(), dataset.name()), weights.string());
  if (options.json) {
    nlohmann::ordered_json json = {{"weights", weights.string()},
                                   {"images", dataset.name()},
                                   {"picture", options.output.string()},
                                   {"predictions", nlohmann::ordered_json::array()}};
    for (const dist::Prediction& prediction : predictions) {
      json["predictions"].push_back({{"class", dataset.class_names()[prediction.label]},
                                     {"confidence", prediction.confidence}});
    }
    std::cout << json.dump() << std::endl;
  } else if (!options.quiet) {
    std::cerr << fmt::format("{} of {} images are in {}\n", ids.size(), dataset.size(),
                             options.output.string());
  }
  return kExitDone;
}

}  // namespace convoy::launcher
