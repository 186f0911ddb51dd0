#include "launcher/resume_options.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "core/base/printable.h"
#include "launcher/json.h"

namespace convoy::launcher {
namespace {

// Keys of config.json that change no result. The length and the model are looked at apart.
constexpr std::array<std::string_view, 10> kFree = {
    "/convoy",    "/data",          "/threads", "/checkpoint_every", "/keep_last", "/keep_best",
    "/max_steps", "/recipe/epochs", "/model"};

std::string last_word(const std::string& key) {
  std::string word = key.substr(key.rfind('/') + 1);
  std::ranges::replace(word, '_', '-');
  return word;
}

void add_line(std::string& lines, std::string_view name, std::string_view run,
              std::string_view now) {
  lines +=
      fmt::format("\n  {}: the run says {}, now it is {}", name, printable(run), printable(now));
}

std::string differences(const TrainOptions& began, const TrainOptions& now) {
  const auto run = parse_json(config_text(began)).flatten();
  const auto changed = parse_json(config_text(now)).flatten();
  auto all = run;
  all.update(changed);
  std::string lines;
  for (const auto& [key, value] : all.items()) {
    const auto a = run.value(key, nlohmann::ordered_json());
    const auto b = changed.value(key, nlohmann::ordered_json());
    if (a != b && std::ranges::find(kFree, key) == kFree.end()) {
      add_line(lines, last_word(key), a.dump(), b.dump());
    }
  }
  const bool augments = began.recipe.has_augment();
  if (now.augment && *now.augment != augments) {
    add_line(lines, "augment", augments ? "true" : "false", augments ? "false" : "true");
  }
  return lines;
}

std::string length_text(const TrainOptions& options) {
  return options.max_steps ? fmt::format("{} epochs, at most {} steps", options.recipe.epochs(),
                                         *options.max_steps)
                           : fmt::format("{} epochs", options.recipe.epochs());
}

void check_length(const TrainOptions& began, const TrainOptions& now,
                  const dist::Position& position) {
  const bool same =
      now.recipe.epochs() == began.recipe.epochs() && now.max_steps == began.max_steps;
  const bool follows = began.recipe.schedule() == v1::Recipe::COSINE ||
                       began.recipe.schedule() == v1::Recipe::ONE_CYCLE;
  if (!same && follows) {
    throw UsageError(fmt::format(
        "--resume: the learning rate's schedule spans the whole run, planned as {}; for {} it "
        "would have been another from the first step on\nLeave the length as it was, or start a "
        "new run with --init-from.",
        length_text(began), length_text(now)));
  }
  const bool past = now.recipe.epochs() < position.epoch + (position.batch > 0 ? 1 : 0) ||
                    (now.max_steps && *now.max_steps < position.step);
  if (past) {
    throw UsageError(fmt::format("--resume: the run is at epoch {}, step {} already, beyond {}",
                                 position.epoch + 1, position.step, length_text(now)));
  }
}

}  // namespace

void check_resumed_options(const TrainOptions& began, const TrainOptions& now,
                           const ModelSpec& spec, const dist::Position& position,
                           std::string_view source) {
  std::string lines = differences(began, now);
  if (now.model != began.model && load_model(now.model).text != spec.text) {
    add_line(lines, "model", began.model, now.model);
  }
  if (!lines.empty()) {
    throw UsageError(
        fmt::format("--resume: these options would change the result of the run:{}\nLeave them "
                    "out, or start a new run with --init-from {}/model.safetensors.",
                    lines, source));
  }
  check_length(began, now, position);
}

}  // namespace convoy::launcher
