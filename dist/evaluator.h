// How good a model is: loss, accuracy and confusion matrix over a data set, exact for any number of
// ranks; and what it says about single images.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/data/batch.h"
#include "core/data/dataset.h"
#include "core/nn/module.h"
#include "dist/communicator.h"

namespace convoy::dist {

/// Sums over images; integers and a double, so that they add up the same way everywhere.
struct Metrics {
  std::int64_t images = 0;
  std::int64_t correct = 0;
  double loss_sum = 0.0;

  /// Averages over the images; NaN without any.
  double loss() const;
  double accuracy() const;

  void add(const Metrics& other);
  /// Adds up over all ranks.
  void all_reduce(Communicator& communicator);
};

struct EvaluateOptions {
  std::int64_t batch_size = 64;  ///< of the global batch; bounds memory
  bool raw_pixels = false;       ///< 0..255 instead of 0..1
  /// Called after each batch with this rank's metrics so far.
  std::function<void(const Metrics&)> on_batch = {};
};

struct Evaluation {
  Metrics metrics;
  /// Images of class i that were taken for class j, at i * classes + j.
  std::vector<std::int64_t> confusion;
};

/// Runs `model` over all of `dataset`, each rank over its slice, without training it. The loss is
/// plain cross-entropy.
Evaluation evaluate(nn::Module& model, const data::Dataset& dataset, Communicator& communicator,
                    const EvaluateOptions& options = {});

/// What the model takes an image for, and how sure it is of it.
struct Prediction {
  std::uint8_t label = 0;
  float confidence = 0.0F;  ///< the softmax of that class, in [0, 1]
};

/// Predictions for `images` (N, H, W, C), scaled as the model was trained.
std::vector<Prediction> predict(nn::Module& model, const Tensor& images);

}  // namespace convoy::dist
