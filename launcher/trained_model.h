// A model with weights: made anew, or found in what an earlier run left behind.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "core/autograd/parameter.h"
#include "core/data/dataset.h"
#include "core/io/safetensors.h"
#include "core/nn/precision.h"
#include "core/nn/sequential.h"
#include "dist/communicator.h"
#include "launcher/model_file.h"

namespace convoy::launcher {

/// Layers and the memory of their parameters.
struct TrainedModel {
  ModelSpec spec;
  std::string dataset;  ///< the name of the data set it learns, or learned, from
  std::unique_ptr<nn::Sequential> layers;
  std::unique_ptr<ParameterStore> store;
};

/// A model with fresh weights drawn from `seed`, for images like those of `dataset`. `batch_size`
/// is what training will need memory for.
TrainedModel make_model(ModelSpec spec, std::string dataset_name, const data::Dataset& dataset,
                        std::int64_t batch_size, std::uint64_t seed,
                        nn::Precision precision = nn::Precision::kFloat32);

/// The weights file of a run directory (its final model, else its newest good checkpoint), of a
/// checkpoint directory, or the file itself. Throws Error if there is none.
std::filesystem::path find_weights(const std::filesystem::path& checkpoint);

/// The name of the data set that the model in `weights` learned from; "mnist" if the file does not
/// say. Throws Error if it cannot be read.
std::string dataset_of(const std::filesystem::path& weights);

/// The model whose weights are in `weights`. Which model that is says `model` (a name or a file),
/// or else the file itself, if convoy wrote it.
TrainedModel read_model(const std::filesystem::path& weights, const std::string& model,
                        const data::Dataset& dataset);

/// Gives all ranks rank 0's weights. A collective. Throws Error if their models differ.
void share_weights(TrainedModel& model, dist::Communicator& communicator);

/// The weights, borrowed, with the model's text and the data set's name beside them, where
/// read_model and dataset_of find them.
io::SafetensorsContent weights_file(const TrainedModel& model);
/// The same of a copy of its store's all_values().
io::SafetensorsContent weights_file(const TrainedModel& model, std::span<const float> all_values);

/// The model that a weights file names, with the source it had in the first place. Throws Error if
/// convoy did not write it.
ModelSpec model_of(const io::SafetensorsFile& file, const std::filesystem::path& weights);

}  // namespace convoy::launcher
