#include "launcher/training_job.h"

#include <fmt/format.h>

#include <algorithm>
#include <iostream>

#include "core/base/parallel.h"
#include "core/blis/gemm.h"
#include "core/data/catalog.h"
#include "core/io/state_dict.h"
#include "launcher/cores.h"
#include "launcher/recipe.h"
#include "launcher/summary.h"
#include "launcher/training_parts.h"

namespace convoy::launcher {
namespace {

// "2 threads", "4 ranks of 2 threads"
std::string ranks_and_threads(int ranks) {
  const std::string threads =
      num_threads() == 1 ? "1 thread" : fmt::format("{} threads", num_threads());
  return ranks == 1 ? threads : fmt::format("{} ranks of {}", ranks, threads);
}

std::int64_t steps_per_epoch_of(const TrainingTask& task) {
  const std::int64_t batch = task.options.recipe.batch_size() * task.options.accumulate;
  return (task.train.size() + batch - 1) / batch;
}

}  // namespace

TrainingTask open_task(const TrainOptions& given, dist::Communicator& communicator) {
  std::optional<ResumedRun> resumed;
  if (given.resume) {
    resumed = find_run(given, communicator);
    for (const std::string& note : resumed->notes) {
      std::cerr << note << "\n";
    }
  }
  TrainOptions options = resumed ? resumed->options : given;
  options.quiet = options.quiet || communicator.rank() != 0;
  share_cores(communicator, options.threads);
  ModelSpec spec = resumed ? resumed->spec : load_model(options.model);
  if (!resumed) {
    options.recipe = resolve_recipe(spec.model.recipe(), options.recipe, options.augment);
  }
  const std::int64_t batch_size = options.recipe.batch_size();
  const std::string name = dataset_str(options.data.dataset.value_or(DatasetName::kMnist));
  data::Dataset train = data::open_dataset(name, data::Split::kTrain, options.data.directory);
  data::Dataset test = data::open_dataset(name, data::Split::kTest, options.data.directory);
  if (resumed) {
    check_resumed_data(*resumed, train, test);
  }
  TrainedModel model = make_model(std::move(spec), name, train, batch_size, options.seed,
                                  make_precision(options.recipe));
  if (!options.init_from.empty() && !resumed) {
    io::load_state_dict(*model.store, options.init_from);
  }
  if (!options.quiet) {
    std::cerr << data_summary(train, test) << "\n"
              << model_summary(model.spec.model.name(), *model.layers,
                               train.batch_shape(batch_size))
              << "\n";
  }
  return {.options = std::move(options),
          .resumed = std::move(resumed),
          .train = std::move(train),
          .test = std::move(test),
          .model = std::move(model)};
}

TrainingJob::TrainingJob(TrainingTask& task, dist::Communicator& communicator)
    : task_(task),
      communicator_(communicator),
      steps_per_epoch_(steps_per_epoch_of(task)),
      steps_(std::min(task.options.recipe.epochs() * steps_per_epoch_,
                      task.options.max_steps.value_or(INT64_MAX))),
      schedule_(make_schedule(task.options.recipe, steps_per_epoch_, steps_)) {
  const v1::Recipe& recipe = task.options.recipe;
  ParameterStore& store = *task.model.store;
  share_weights(task.model, communicator);
  const dist::TrainerOptions options = make_trainer_options(task.options);
  optimizer_ = make_optimizer(recipe, dist::optimizer_elements(store, communicator, options));
  trainer_ = std::make_unique<dist::Trainer>(dist::Trainer::Parts{.model = *task.model.layers,
                                                                  .store = store,
                                                                  .optimizer = *optimizer_,
                                                                  .schedule = schedule_,
                                                                  .train = task.train,
                                                                  .test = task.test,
                                                                  .communicator = communicator},
                                             options);
  if (task.resumed) {
    // The checkpoint has the whole optimizer's state, of which a sharded one takes its part.
    const auto whole = make_optimizer(recipe, static_cast<std::int64_t>(store.values().size()));
    trainer_->restore(load(*task.resumed, store, *whole, communicator));
  }
}

bool TrainingJob::complete() const {
  return trainer_->position().epoch >= task_.options.recipe.epochs();
}

std::string TrainingJob::describe() const {
  return fmt::format("{}; {}; {}; {}", optimizer_->describe(), schedule_.describe(),
                     blis::describe(), ranks_and_threads(communicator_.size()));
}

}  // namespace convoy::launcher
