#include "launcher/training_parts.h"

#include "core/optim/adam.h"
#include "core/optim/sgd.h"

namespace convoy::launcher {

std::unique_ptr<optim::Optimizer> make_optimizer(const v1::Recipe& recipe, std::int64_t elements) {
  if (recipe.optimizer() == v1::Recipe::SGD) {
    return std::make_unique<optim::Sgd>(elements,
                                        optim::SgdOptions{.momentum = recipe.momentum(),
                                                          .weight_decay = recipe.weight_decay(),
                                                          .nesterov = recipe.nesterov()});
  }
  return std::make_unique<optim::Adam>(
      elements,
      optim::AdamOptions{.weight_decay = recipe.weight_decay(),
                         .decoupled_weight_decay = recipe.optimizer() == v1::Recipe::ADAMW});
}

optim::Schedule make_schedule(const v1::Recipe& recipe, std::int64_t steps_per_epoch,
                              std::int64_t total_steps) {
  using Kind = optim::ScheduleOptions::Kind;
  optim::ScheduleOptions options{
      .lr = recipe.lr(), .total_steps = total_steps, .warmup_steps = recipe.warmup_steps()};
  switch (recipe.schedule()) {
    case v1::Recipe::STEP:
      options.kind = Kind::kStep;
      options.step_size = recipe.step_size() * steps_per_epoch;
      options.gamma = recipe.gamma();
      break;
    case v1::Recipe::COSINE:
      options.kind = Kind::kCosine;
      options.eta_min = recipe.eta_min();
      break;
    case v1::Recipe::ONE_CYCLE:
      options.kind = Kind::kOneCycle;
      options.pct_start = recipe.pct_start();
      options.div_factor = recipe.div_factor();
      options.final_div_factor = recipe.final_div_factor();
      break;
    default:
      break;
  }
  return optim::Schedule(options);
}

data::AugmentOptions make_augment(const v1::Recipe& recipe) {
  const v1::Augment& augment = recipe.augment();
  data::AugmentOptions options{.shift = augment.shift(),
                               .rotation = augment.rotation(),
                               .scale = augment.scale(),
                               .shear = augment.shear(),
                               .elastic = augment.elastic(),
                               .erase = augment.erase()};
  if (augment.has_erase_side()) {
    options.erase_side = augment.erase_side();
  }
  return options;
}

nn::Precision make_precision(const v1::Recipe& recipe) {
  return recipe.precision() == v1::Recipe::BF16 ? nn::Precision::kBfloat16
                                                : nn::Precision::kFloat32;
}

dist::TrainerOptions make_trainer_options(const TrainOptions& options) {
  const v1::Recipe& recipe = options.recipe;
  const DistributedOptions& ranks = options.distributed;
  return {.epochs = recipe.epochs(),
          .batch_size = recipe.batch_size(),
          .accumulate = options.accumulate,
          .max_steps = options.max_steps,
          .seed = options.seed,
          .shuffle = options.shuffle,
          .label_smoothing = recipe.label_smoothing(),
          .clip_norm = recipe.clip_norm() > 0 ? std::optional(recipe.clip_norm()) : std::nullopt,
          .augment = make_augment(recipe),
          .raw_pixels = options.data.raw_pixels,
          .reduce = ranks.reduce,
          .reproducible = ranks.reproducible,
          .micro_shards = ranks.micro_shards,
          .shard_optimizer = ranks.shard_optimizer,
          .on_nan = ranks.on_nan,
          .check_every = ranks.check_every,
          .checkpoint_every = options.checkpoint_every};
}

}  // namespace convoy::launcher
