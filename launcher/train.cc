// `convoy train`: puts data, model, recipe and run directory together, lets the Trainer run, and
// writes down what came of it.
#include <fmt/format.h>
#include <sys/resource.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "core/base/parallel.h"
#include "core/blis/gemm.h"
#include "core/data/catalog.h"
#include "core/io/state_dict.h"
#include "dist/trainer.h"
#include "launcher/commands.h"
#include "launcher/exit_codes.h"
#include "launcher/json.h"
#include "launcher/recipe.h"
#include "launcher/recorder.h"
#include "launcher/report.h"
#include "launcher/resume.h"
#include "launcher/run_dir.h"
#include "launcher/summary.h"
#include "launcher/trained_model.h"
#include "launcher/training_parts.h"

namespace convoy::launcher {
namespace {

namespace fs = std::filesystem;

// What a run has on disk at most: the final model, the checkpoints that are kept and one that is
// being written, each with two moments, and some pictures. A run that goes on has most of it there.
std::uint64_t needed_bytes(const ParameterStore& store, const TrainOptions& options, bool resumed) {
  const int checkpoints = resumed ? 2 : options.keep.last + options.keep.best + 1;
  return (1 + 3 * static_cast<std::uint64_t>(checkpoints)) * store.values().size_bytes() +
         (std::uint64_t{4} << 20);
}

// The most memory this process has had resident.
std::int64_t peak_memory_bytes() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return std::int64_t{usage.ru_maxrss} * 1024;
}

void print_json(const RunDir& run_dir, const dist::Trainer& trainer,
                const std::vector<EpochMetrics>& epochs) {
  nlohmann::ordered_json json = {{"run_dir", run_dir.path().string()},
                                 {"world_size", 1},
                                 {"threads", num_threads()},
                                 {"steps", trainer.position().step},
                                 {"images_per_second", trainer.images_per_second()},
                                 {"peak_memory_bytes", peak_memory_bytes()},
                                 {"epochs", nlohmann::ordered_json::array()}};
  for (const EpochMetrics& epoch : epochs) {
    json["epochs"].push_back(to_json(epoch));
  }
  std::cout << json.dump() << std::endl;
}

}  // namespace

int run_train(const TrainOptions& given) {
  dist::LocalCommunicator communicator;
  std::optional<ResumedRun> resumed;
  if (given.resume) {
    resumed = find_run(given, communicator);
    for (const std::string& note : resumed->notes) {
      std::cerr << note << "\n";
    }
  }
  TrainOptions options = resumed ? resumed->options : given;
  if (options.threads) {
    set_num_threads(*options.threads);
  }
  ModelSpec spec = resumed ? resumed->spec : load_model(options.model);
  if (!resumed) {
    options.recipe = resolve_recipe(spec.model.recipe(), options.recipe, options.augment);
  }
  const v1::Recipe& recipe = options.recipe;
  const std::string name = dataset_str(options.data.dataset.value_or(DatasetName::kMnist));
  const data::Dataset train = data::open_dataset(name, data::Split::kTrain, options.data.directory);
  const data::Dataset test = data::open_dataset(name, data::Split::kTest, options.data.directory);
  TrainedModel model = make_model(std::move(spec), name, train, recipe.batch_size(), options.seed);
  if (!options.init_from.empty() && !resumed) {
    io::load_state_dict(*model.store, options.init_from);
  }
  if (!options.quiet) {
    std::cerr << data_summary(train, test) << "\n"
              << model_summary(model.spec.model.name(), *model.layers,
                               train.batch_shape(recipe.batch_size()))
              << "\n";
  }
  const RunDir run_dir({.path = options.run_dir,
                        .model = options.model,
                        .resume = resumed.has_value(),
                        .needed_bytes = needed_bytes(*model.store, options, resumed.has_value())});

  const std::unique_ptr<optim::Optimizer> optimizer =
      make_optimizer(recipe, static_cast<std::int64_t>(model.store->values().size()));
  const std::int64_t batch = recipe.batch_size() * options.accumulate;
  const std::int64_t steps_per_epoch = (train.size() + batch - 1) / batch;
  const std::int64_t steps =
      std::min(recipe.epochs() * steps_per_epoch, options.max_steps.value_or(INT64_MAX));
  const optim::Schedule schedule = make_schedule(recipe, steps_per_epoch, steps);
  dist::Trainer trainer(
      {.model = *model.layers,
       .store = *model.store,
       .optimizer = *optimizer,
       .schedule = schedule,
       .train = train,
       .test = test,
       .communicator = communicator},
      {.epochs = recipe.epochs(),
       .batch_size = recipe.batch_size(),
       .accumulate = options.accumulate,
       .max_steps = options.max_steps,
       .seed = options.seed,
       .shuffle = options.shuffle,
       .label_smoothing = recipe.label_smoothing(),
       .clip_norm = recipe.clip_norm() > 0 ? std::optional(recipe.clip_norm()) : std::nullopt,
       .augment = make_augment(recipe),
       .raw_pixels = options.data.raw_pixels,
       .checkpoint_every = options.checkpoint_every});
  if (resumed) {
    trainer.restore(load(*resumed, *model.store, *optimizer, communicator));
    forget_later(*resumed, run_dir);
  }
  start_report(run_dir, options, model.spec);
  Recorder recorder(
      {.options = options,
       .run_dir = run_dir,
       .model = model,
       .epochs = resumed ? resumed->epochs : std::vector<EpochMetrics>(),
       .checkpoints = resumed ? resumed->checkpoints : std::vector<KeptCheckpoint>()});
  if (!options.quiet) {
    std::cerr << fmt::format("{}; {}; {}; {} threads\nresults go to {}\n\n", optimizer->describe(),
                             schedule.describe(), blis::describe(), num_threads(),
                             run_dir.path().string());
  }
  const bool finished = trainer.position().epoch >= recipe.epochs();
  if (finished && !options.quiet) {
    std::cerr << "the run is complete; to train on, say --epochs N with more of them\n";
  }
  if (trainer.run(recorder) == dist::Outcome::kStopped) {
    recorder.progress().end();
    std::cerr << fmt::format(
        "stopped at step {} of {}; the checkpoint is {}\ngo on with: convoy train --resume {}\n",
        trainer.position().step, steps, recorder.last_checkpoint().string(),
        run_dir.path().string());
    return kExitStopped;
  }
  recorder.last_checkpoint();  // throws if it could not be written
  // A run that had no epoch left, as after a kill at the very end, has not been tested here.
  dist::Evaluation evaluation = recorder.evaluation();
  if (finished) {
    evaluation =
        dist::evaluate(*model.layers, test, communicator, {.raw_pixels = options.data.raw_pixels});
  }
  fs::create_directories(run_dir.final_model().parent_path());
  io::write_safetensors(run_dir.final_model(), weights_file(model));
  finish_report({.run_dir = run_dir,
                 .options = options,
                 .model = model,
                 .test = test,
                 .epochs = recorder.epochs(),
                 .evaluation = evaluation});
  if (options.json) {
    print_json(run_dir, trainer, recorder.epochs());
  }
  return kExitDone;
}

}  // namespace convoy::launcher
