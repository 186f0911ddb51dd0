// A model of which checkpoints are made in tests, and states for them.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "core/data/synthetic.h"
#include "core/optim/adam.h"
#include "launcher/json.h"
#include "launcher/recipe.h"
#include "launcher/run_state.h"
#include "launcher/trained_model.h"

namespace convoy::launcher::testing {

inline TrainedModel small_model(std::uint64_t seed = 0) {
  static const data::Dataset images =
      data::draw_synthetic({.split = data::Split::kTrain, .size = 16});
  constexpr const char* kText =
      "name: \"small\"\n"
      "layer { name: \"f\" flatten {} }\n"
      "layer { name: \"fc\" linear { out_features: 10 } }\n";
  return make_model(parse_model(kText, "small"), "synthetic", images, 1, seed);
}

/// Options of a run with that model.
inline TrainOptions small_options() {
  TrainOptions options;
  options.data.dataset = DatasetName::kSynthetic;
  options.model = "small";
  options.recipe = resolve_recipe({}, {}, std::nullopt);
  return options;
}

/// At a step within epoch 1, with Adam's moments all equal to `moment`.
inline RunState state_at(std::int64_t step, const TrainedModel& model, float moment = 0.5F) {
  const auto elements = static_cast<std::int64_t>(model.store->values().size());
  RunState state{
      .snapshot = {.position = {.epoch = 0, .batch = step, .step = step}, .optimizer_step = step},
      .config = config_text(small_options()),
      .convoy = CONVOY_VERSION};
  for (const char* name : {"exp_avg", "exp_avg_sq"}) {
    state.snapshot.optimizer.push_back({name, Tensor::full({elements}, moment)});
  }
  return state;
}

}  // namespace convoy::launcher::testing
