#include "launcher/trained_model.h"

#include <array>

#include "core/base/check.h"
#include "core/io/checkpoint.h"
#include "core/io/safetensors.h"
#include "core/io/state_dict.h"
#include "dist/collectives.h"
#include "launcher/build_model.h"

namespace convoy::launcher {
namespace {

namespace fs = std::filesystem;

// Where a weights file says which model it is of, and where that model came from.
constexpr const char* kModelText = "convoy.model";
constexpr const char* kModelSource = "convoy.model_source";
constexpr const char* kDataset = "convoy.dataset";

std::string entry(const io::SafetensorsFile& file, const char* key, const char* otherwise) {
  const auto found = file.metadata.find(key);
  return found == file.metadata.end() ? otherwise : found->second;
}

}  // namespace

TrainedModel make_model(ModelSpec spec, std::string dataset_name, const data::Dataset& dataset,
                        std::int64_t batch_size, std::uint64_t seed, nn::Precision precision) {
  TrainedModel model{.spec = std::move(spec),
                     .dataset = std::move(dataset_name),
                     .layers = nullptr,
                     .store = nullptr};
  model.layers = build_model(model.spec, dataset.batch_shape(batch_size), dataset.classes(),
                             {.precision = precision});
  model.store = std::make_unique<ParameterStore>(model.layers->named_parameters(), seed);
  return model;
}

fs::path find_weights(const fs::path& checkpoint) {
  check(fs::exists(checkpoint),
        "{}: there is no such run directory, checkpoint or file.\n`convoy train` makes one; the "
        "newest is runs/latest.",
        checkpoint.string());
  if (!fs::is_directory(checkpoint)) {
    return checkpoint;
  }
  for (const char* inside : {"final/model.safetensors", "model.safetensors"}) {
    if (fs::exists(checkpoint / inside)) {
      return checkpoint / inside;
    }
  }
  const io::CheckpointSearch search = io::latest_good_checkpoint(checkpoint / "checkpoints");
  check(search.newest_good.has_value(),
        "{}: holds neither final/model.safetensors nor a good checkpoint ({} damaged).",
        checkpoint.string(), search.skipped.size());
  return *search.newest_good / "model.safetensors";
}

std::string dataset_of(const fs::path& weights) {
  return entry(io::read_safetensors(weights), kDataset, "mnist");
}

TrainedModel read_model(const fs::path& weights, const std::string& model,
                        const data::Dataset& dataset) {
  const io::SafetensorsFile file = io::read_safetensors(weights);
  TrainedModel read = make_model(model.empty() ? model_of(file, weights) : load_model(model),
                                 entry(file, kDataset, "mnist"), dataset, 1, 0);
  io::load_state_dict(*read.store, file.tensors, weights.string());
  return read;
}

void share_weights(TrainedModel& model, dist::Communicator& communicator) {
  const std::span<float> mine = model.store->all_values();
  std::array<std::int64_t, 1> first = {static_cast<std::int64_t>(mine.size())};
  dist::broadcast(communicator, std::as_writable_bytes(std::span(first)));
  check(first[0] == static_cast<std::int64_t>(mine.size()),
        "model {}: rank 0 has {} weights, {} has {}", model.spec.model.name(), first[0],
        communicator.name(communicator.rank()), mine.size());
  dist::broadcast(communicator, std::as_writable_bytes(mine));
}

io::SafetensorsContent weights_file(const TrainedModel& model) {
  return weights_file(model, model.store->all_values());
}

io::SafetensorsContent weights_file(const TrainedModel& model, std::span<const float> all_values) {
  return {io::state_sources(*model.store, all_values),
          {{"format", "pt"},
           {kModelText, model.spec.text},
           {kModelSource, model.spec.source},
           {kDataset, model.dataset}}};
}

ModelSpec model_of(const io::SafetensorsFile& file, const fs::path& weights) {
  const auto text = file.metadata.find(kModelText);
  check(text != file.metadata.end(),
        "{}: does not say which model it is of, as files that convoy did not write.\nName it with "
        "--model NAME or --model FILE.",
        weights.string());
  const std::string source = entry(file, kModelSource, "");
  ModelSpec spec = parse_model(text->second, fmt::format("{} ({})", weights.string(), source));
  spec.source = source;
  return spec;
}

}  // namespace convoy::launcher
