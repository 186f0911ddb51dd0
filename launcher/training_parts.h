// The parts of training that a recipe stands for.
#pragma once

#include <cstdint>
#include <memory>

#include "convoy/v1/model.pb.h"
#include "core/data/augment.h"
#include "core/nn/precision.h"
#include "core/optim/optimizer.h"
#include "core/optim/schedule.h"
#include "dist/trainer.h"
#include "launcher/options.h"

namespace convoy::launcher {

/// All take a recipe that resolve_recipe (launcher/recipe.h) made. `elements`: trainable floats of
/// the model, gaps included.
std::unique_ptr<optim::Optimizer> make_optimizer(const v1::Recipe& recipe, std::int64_t elements);

/// `total_steps` optimizer steps are planned, `steps_per_epoch` in each epoch.
optim::Schedule make_schedule(const v1::Recipe& recipe, std::int64_t steps_per_epoch,
                              std::int64_t total_steps);

data::AugmentOptions make_augment(const v1::Recipe& recipe);

/// `options` are resolved.
nn::Precision make_precision(const v1::Recipe& recipe);
dist::TrainerOptions make_trainer_options(const TrainOptions& options);

}  // namespace convoy::launcher
