// `convoy train`: puts data, model, recipe and run directory together, lets the Trainer run, and
// writes down what came of it.
#include <fmt/format.h>

#include <iostream>

#include "core/base/parallel.h"
#include "core/blis/gemm.h"
#include "core/data/catalog.h"
#include "core/io/state_dict.h"
#include "dist/collectives.h"
#include "dist/trainer.h"
#include "launcher/commands.h"
#include "launcher/cores.h"
#include "launcher/exit_codes.h"
#include "launcher/fingerprint_of.h"
#include "launcher/notice.h"
#include "launcher/recipe.h"
#include "launcher/recorder.h"
#include "launcher/report.h"
#include "launcher/resume.h"
#include "launcher/run_dir.h"
#include "launcher/stop_signal.h"
#include "launcher/summary.h"
#include "launcher/train_result.h"
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

// "2 threads", "4 ranks of 2 threads"
std::string ranks_and_threads(int ranks) {
  const std::string threads =
      num_threads() == 1 ? "1 thread" : fmt::format("{} threads", num_threads());
  return ranks == 1 ? threads : fmt::format("{} ranks of {}", ranks, threads);
}

// What the ranks other than 0 do about training: they only pass on signals.
class Follower : public dist::Observer {
 public:
  bool stop_requested() override { return StopSignal::requested(); }
};

}  // namespace

int run_train(const TrainOptions& given, dist::Communicator& communicator) {
  const bool leads = communicator.rank() == 0;
  communicator.set_timeout(given.distributed.timeout);
  if (!programs_agree(communicator, given)) {
    return kExitRanksDisagree;
  }
  std::optional<ResumedRun> resumed;
  if (given.resume) {
    resumed = find_run(given, communicator);
    for (const std::string& note : resumed->notes) {
      std::cerr << note << "\n";
    }
  }
  TrainOptions options = resumed ? resumed->options : given;
  options.quiet = options.quiet || !leads;
  share_cores(communicator, options.threads);
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
  if (!runs_agree(communicator, options, model, train, test)) {
    return kExitRanksDisagree;
  }
  share_weights(model, communicator);

  const std::int64_t batch = recipe.batch_size() * options.accumulate;
  const std::int64_t steps_per_epoch = (train.size() + batch - 1) / batch;
  const std::int64_t steps =
      std::min(recipe.epochs() * steps_per_epoch, options.max_steps.value_or(INT64_MAX));
  const optim::Schedule schedule = make_schedule(recipe, steps_per_epoch, steps);
  const dist::TrainerOptions trainer_options = make_trainer_options(options);
  const std::unique_ptr<optim::Optimizer> optimizer =
      make_optimizer(recipe, dist::optimizer_elements(*model.store, communicator, trainer_options));
  dist::Trainer trainer({.model = *model.layers,
                         .store = *model.store,
                         .optimizer = *optimizer,
                         .schedule = schedule,
                         .train = train,
                         .test = test,
                         .communicator = communicator},
                        trainer_options);
  if (resumed) {
    // The checkpoint has the whole optimizer's state, of which a sharded one takes its part.
    const auto whole =
        make_optimizer(recipe, static_cast<std::int64_t>(model.store->values().size()));
    trainer.restore(load(*resumed, *model.store, *whole, communicator));
  }
  const bool finished = trainer.position().epoch >= recipe.epochs();
  std::optional<RunDir> run_dir;
  std::optional<Recorder> recorder;
  std::optional<Follower> follower;
  if (leads) {
    run_dir.emplace(
        RunDir::Options{.path = options.run_dir,
                        .model = options.model,
                        .resume = resumed.has_value(),
                        .needed_bytes = needed_bytes(*model.store, options, resumed.has_value())});
    if (resumed) {
      forget_later(*resumed, *run_dir);
    }
    start_report(*run_dir, options, model.spec);
    recorder.emplace(Recorder::Parts{
        .options = options,
        .run_dir = *run_dir,
        .model = model,
        .epochs = resumed ? resumed->epochs : std::vector<EpochMetrics>(),
        .checkpoints = resumed ? resumed->checkpoints : std::vector<KeptCheckpoint>()});
  } else {
    follower.emplace();
  }
  if (!options.quiet) {
    std::cerr << fmt::format("{}; {}; {}; {}\nresults go to {}\n\n", optimizer->describe(),
                             schedule.describe(), blis::describe(),
                             ranks_and_threads(communicator.size()), run_dir->path().string())
              << (finished ? "the run is complete; to train on, say --epochs N with more of them\n"
                           : "");
  }
  barrier(communicator);  // all ranks know stop signals now
  if (leads) {
    notify_launcher(kJoined);
    notify_launcher(kRunDir, fs::absolute(run_dir->path()).string());
  }
  const dist::Outcome outcome = leads ? trainer.run(*recorder) : trainer.run(*follower);
  // A run that had no epoch left, as after a kill at the very end, has not been tested here.
  std::optional<dist::Evaluation> evaluation;
  if (finished) {
    evaluation =
        dist::evaluate(*model.layers, test, communicator, {.raw_pixels = options.data.raw_pixels});
  }
  const double imbalance = compute_imbalance(communicator, trainer);
  if (!leads) {
    return kExitDone;  // rank 0 tells how it went
  }
  if (outcome == dist::Outcome::kStopped) {
    recorder->progress().end();
    recorder->last_checkpoint();
    notify_launcher(kStopped);
    std::cerr << fmt::format(
        "stopped at step {} of {}; the checkpoint is {}\ngo on with: convoy train {}--resume {}\n",
        trainer.position().step, steps, recorder->last_checkpoint().string(),
        communicator.size() > 1 ? fmt::format("-n {} ", communicator.size()) : "",
        run_dir->path().string());
    return kExitStopped;
  }
  recorder->last_checkpoint();  // throws if it could not be written
  fs::create_directories(run_dir->final_model().parent_path());
  io::write_safetensors(run_dir->final_model(), weights_file(model));
  finish_report({.run_dir = *run_dir,
                 .options = options,
                 .model = model,
                 .test = test,
                 .epochs = recorder->epochs(),
                 .evaluation = evaluation ? *evaluation : recorder->evaluation()});
  const TrainResult result = {.run_dir = *run_dir,
                              .world_size = communicator.size(),
                              .imbalance = imbalance,
                              .trainer = trainer,
                              .epochs = recorder->epochs()};
  if (!options.quiet) {
    std::cerr << communication_summary(result);
  }
  if (options.json) {
    std::cout << train_result_json(result) << std::endl;
  }
  return kExitDone;
}

}  // namespace convoy::launcher
