// What a trained model sees in images, and pictures of it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "core/data/dataset.h"
#include "core/nn/module.h"
#include "dist/evaluator.h"
#include "launcher/confusion.h"

namespace convoy::launcher {

/// A prediction for each image of `dataset`.
std::vector<dist::Prediction> predict_all(nn::Module& model, const data::Dataset& dataset,
                                          bool raw_pixels);

/// The images that are taken for another class than they are, the surest mistakes first.
std::vector<std::int64_t> mistakes(const data::Dataset& dataset,
                                   std::span<const dist::Prediction> predictions);

/// Draws the images `ids` with their predictions (one for each image of the data set) as a grid;
/// with their true classes too, and mistakes marked, if `labelled`. Throws Error as Canvas does.
void draw_predictions(const std::filesystem::path& path, const data::Dataset& dataset,
                      std::span<const std::int64_t> ids,
                      std::span<const dist::Prediction> predictions, bool labelled,
                      const std::string& title, const std::string& subtitle);

/// The table of an evaluation.
ConfusionMatrix confusion_of(const dist::Evaluation& evaluation,
                             const std::vector<std::string>& class_names);

}  // namespace convoy::launcher
