#include "dist/evaluator.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/base/check.h"
#include "core/data/sampler.h"
#include "core/nn/cross_entropy.h"
#include "dist/collectives.h"

namespace convoy::dist {
namespace {

double mean(double sum, std::int64_t images) {
  return images == 0 ? std::numeric_limits<double>::quiet_NaN() : sum / static_cast<double>(images);
}

std::span<const float> row_of(const Tensor& logits, std::int64_t row) {
  const auto classes = static_cast<std::size_t>(logits.shape()[1]);
  return logits.values().subspan(static_cast<std::size_t>(row) * classes, classes);
}

std::size_t largest(std::span<const float> row) {
  return static_cast<std::size_t>(std::ranges::max_element(row) - row.begin());
}

}  // namespace

double Metrics::loss() const {
  return mean(loss_sum, images);
}

double Metrics::accuracy() const {
  return mean(static_cast<double>(correct), images);
}

void Metrics::add(const Metrics& other) {
  images += other.images;
  correct += other.correct;
  loss_sum += other.loss_sum;
}

void Metrics::all_reduce(Communicator& communicator) {
  std::array<std::int64_t, 2> counts = {images, correct};
  all_reduce_sum(communicator, std::span(counts));
  all_reduce_sum(communicator, std::span(&loss_sum, 1));
  images = counts[0];
  correct = counts[1];
}

Evaluation evaluate(nn::Module& model, const data::Dataset& dataset, Communicator& communicator,
                    const EvaluateOptions& options) {
  const auto classes = static_cast<std::size_t>(dataset.classes());
  Evaluation evaluation{.metrics = {}, .confusion = std::vector<std::int64_t>(classes * classes)};
  const data::BatchLoader loader(dataset, {.raw_pixels = options.raw_pixels});
  const data::SamplerOptions order{.size = dataset.size(), .batch_size = options.batch_size};
  Tape tape = Tape::evaluation();
  data::Batch batch;
  std::vector<std::int64_t> ids;
  for (std::int64_t index = 0; index < data::batches_per_epoch(order); ++index) {
    const data::Range slice =
        data::part_of(data::batch_range(order, index), communicator.rank(), communicator.size());
    ids.resize(static_cast<std::size_t>(slice.size()));
    std::iota(ids.begin(), ids.end(), slice.begin);
    loader.load(ids, 0, batch);
    const Variable logits = model.forward(tape, batch.images);
    const nn::Loss loss = nn::cross_entropy(tape, logits, batch.labels);
    evaluation.metrics.add({.images = slice.size(), .correct = loss.correct, .loss_sum = loss.sum});
    for (std::int64_t row = 0; row < slice.size(); ++row) {
      const std::size_t label = batch.labels[static_cast<std::size_t>(row)];
      ++evaluation.confusion[label * classes + largest(row_of(logits.value(), row))];
    }
    if (options.on_batch) {
      options.on_batch(evaluation.metrics);
    }
  }
  evaluation.metrics.all_reduce(communicator);
  all_reduce_sum(communicator, std::span(evaluation.confusion));
  return evaluation;
}

std::vector<Prediction> predict(nn::Module& model, const Tensor& images) {
  Tape tape = Tape::evaluation();
  const Tensor logits = model.forward(tape, images).value();
  std::vector<Prediction> predictions;
  for (std::int64_t row = 0; row < logits.shape()[0]; ++row) {
    const std::span<const float> values = row_of(logits, row);
    const std::size_t label = largest(values);
    double sum = 0;
    for (const float value : values) {
      sum += std::exp(static_cast<double>(value) - static_cast<double>(values[label]));
    }
    predictions.push_back(
        {.label = static_cast<std::uint8_t>(label), .confidence = static_cast<float>(1.0 / sum)});
  }
  return predictions;
}

}  // namespace convoy::dist
