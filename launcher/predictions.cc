#include "launcher/predictions.h"

#include <algorithm>
#include <numeric>

#include "core/data/batch.h"
#include "launcher/plot/image_grid.h"

namespace convoy::launcher {

std::vector<dist::Prediction> predict_all(nn::Module& model, const data::Dataset& dataset,
                                          bool raw_pixels) {
  constexpr std::int64_t kBatch = 64;
  const data::BatchLoader loader(dataset, {.raw_pixels = raw_pixels});
  data::Batch batch;
  std::vector<dist::Prediction> all;
  for (std::int64_t begin = 0; begin < dataset.size(); begin += kBatch) {
    std::vector<std::int64_t> ids(
        static_cast<std::size_t>(std::min(kBatch, dataset.size() - begin)));
    std::iota(ids.begin(), ids.end(), begin);
    loader.load(ids, 0, batch);
    const std::vector<dist::Prediction> some = dist::predict(model, batch.images);
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

std::vector<std::int64_t> mistakes(const data::Dataset& dataset,
                                   std::span<const dist::Prediction> predictions) {
  std::vector<std::int64_t> ids;
  for (std::int64_t id = 0; id < dataset.size(); ++id) {
    if (predictions[static_cast<std::size_t>(id)].label != dataset.label(id)) {
      ids.push_back(id);
    }
  }
  std::ranges::stable_sort(ids, std::ranges::greater{}, [&](std::int64_t id) {
    return predictions[static_cast<std::size_t>(id)].confidence;
  });
  return ids;
}

void draw_predictions(const std::filesystem::path& path, const data::Dataset& dataset,
                      std::span<const std::int64_t> ids,
                      std::span<const dist::Prediction> predictions, bool labelled,
                      const std::string& title, const std::string& subtitle) {
  const Shape shape = dataset.batch_shape(1);
  std::vector<std::vector<std::uint8_t>> pixels;
  pixels.reserve(ids.size());
  std::vector<plot::PredictedImage> images;
  for (const std::int64_t id : ids) {
    pixels.push_back(dataset.image(id));
    const dist::Prediction& prediction = predictions[static_cast<std::size_t>(id)];
    images.push_back({.image = {.pixels = pixels.back(),
                                .height = shape.h(),
                                .width = shape.w(),
                                .channels = shape.c()},
                      .predicted = dataset.class_names()[prediction.label],
                      .truth = labelled ? dataset.class_names()[dataset.label(id)] : "",
                      .confidence = static_cast<double>(prediction.confidence)});
  }
  plot::draw_image_grid(path, images, {.header = {.title = title, .subtitle = subtitle}});
}

ConfusionMatrix confusion_of(const dist::Evaluation& evaluation,
                             const std::vector<std::string>& class_names) {
  ConfusionMatrix matrix(class_names);
  const int classes = matrix.classes();
  for (int truth = 0; truth < classes; ++truth) {
    for (int predicted = 0; predicted < classes; ++predicted) {
      matrix.add(truth, predicted,
                 evaluation.confusion[static_cast<std::size_t>(truth * classes + predicted)]);
    }
  }
  return matrix;
}

}  // namespace convoy::launcher
