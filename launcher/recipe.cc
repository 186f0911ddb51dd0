#include "launcher/recipe.h"

#include <string>

#include "launcher/options.h"

namespace convoy::launcher {
namespace {

using v1::Recipe;

void require(bool condition, const std::string& text) {
  if (!condition) {
    throw UsageError(text);
  }
}

std::string optimizer_str(const Recipe& recipe) {
  return recipe.optimizer() == Recipe::SGD     ? "sgd"
         : recipe.optimizer() == Recipe::ADAMW ? "adamw"
                                               : "adam";
}

// Of the flags, only those that do something: a flag without effect is a misunderstanding. What the
// model's recipe brings for another optimizer or schedule is no flag, and fades silently.
void check_flags(const Recipe& flags, const Recipe& resolved) {
  const bool sgd = resolved.optimizer() == Recipe::SGD;
  require(sgd || !flags.has_momentum(),
          "--momentum is for --optimizer sgd; this run's is " + optimizer_str(resolved));
  require(sgd || !flags.has_nesterov(),
          "--nesterov is for --optimizer sgd; this run's is " + optimizer_str(resolved));
  const auto schedule = resolved.schedule();
  require(schedule == Recipe::STEP || !(flags.has_step_size() || flags.has_gamma()),
          "--step-size and --gamma are for --schedule step");
  require(schedule == Recipe::COSINE || !flags.has_eta_min(), "--eta-min is for --schedule cosine");
  require(schedule == Recipe::ONE_CYCLE ||
              !(flags.has_pct_start() || flags.has_div_factor() || flags.has_final_div_factor()),
          "--pct-start, --div-factor and --final-div-factor are for --schedule one_cycle");
}

Recipe defaults() {
  Recipe recipe;
  recipe.set_epochs(15);
  recipe.set_batch_size(32);
  recipe.set_optimizer(Recipe::ADAM);
  recipe.set_lr(0.001);
  recipe.set_label_smoothing(0);
  recipe.set_clip_norm(0);
  recipe.set_schedule(Recipe::CONSTANT);
  recipe.set_warmup_steps(0);
  return recipe;
}

void complete_optimizer(Recipe& recipe) {
  if (!recipe.has_weight_decay()) {
    recipe.set_weight_decay(recipe.optimizer() == Recipe::ADAMW ? 0.01 : 0);
  }
  if (recipe.optimizer() == Recipe::SGD) {
    recipe.set_momentum(recipe.momentum());
    recipe.set_nesterov(recipe.nesterov());
    require(!recipe.nesterov() || recipe.momentum() > 0, "--nesterov needs a --momentum above 0");
  } else {
    recipe.clear_momentum();
    recipe.clear_nesterov();
  }
}

void complete_schedule(Recipe& recipe) {
  if (recipe.schedule() == Recipe::STEP) {
    require(recipe.has_step_size(), "--schedule step needs --step-size, in epochs");
    recipe.set_gamma(recipe.has_gamma() ? recipe.gamma() : 0.1);
  } else {
    recipe.clear_step_size();
    recipe.clear_gamma();
  }
  if (recipe.schedule() == Recipe::COSINE) {
    recipe.set_eta_min(recipe.eta_min());
  } else {
    recipe.clear_eta_min();
  }
  if (recipe.schedule() == Recipe::ONE_CYCLE) {
    recipe.set_pct_start(recipe.has_pct_start() ? recipe.pct_start() : 0.3);
    recipe.set_div_factor(recipe.has_div_factor() ? recipe.div_factor() : 25);
    recipe.set_final_div_factor(recipe.has_final_div_factor() ? recipe.final_div_factor() : 1e4);
  } else {
    recipe.clear_pct_start();
    recipe.clear_div_factor();
    recipe.clear_final_div_factor();
  }
}

}  // namespace

Recipe resolve_recipe(const Recipe& model, const Recipe& flags, std::optional<bool> augment) {
  Recipe recipe = defaults();
  recipe.MergeFrom(model);
  recipe.MergeFrom(flags);
  check_flags(flags, recipe);
  complete_optimizer(recipe);
  complete_schedule(recipe);
  if (augment == false) {
    recipe.clear_augment();
  } else if (augment == true && !recipe.has_augment()) {
    recipe.mutable_augment()->set_shift(2);
    recipe.mutable_augment()->set_rotation(10);
    recipe.mutable_augment()->set_scale(0.1);
  }
  return recipe;
}

}  // namespace convoy::launcher
