// config.json, written and read back.
#include <google/protobuf/util/json_util.h>

#include <nlohmann/json.hpp>

#include "core/base/check.h"
#include "core/base/nearest.h"
#include "launcher/json.h"

namespace convoy::launcher {
namespace {

using Json = nlohmann::ordered_json;

Json recipe_json(const v1::Recipe& recipe) {
  google::protobuf::util::JsonPrintOptions print;
  print.preserve_proto_field_names = true;
  std::string text;
  const auto status = google::protobuf::util::MessageToJsonString(recipe, &text, print);
  check(status.ok(), "the recipe cannot be written as JSON: {}", status.ToString());
  return Json::parse(text);
}

v1::Recipe recipe_of(const Json& json) {
  v1::Recipe recipe;
  const auto status = google::protobuf::util::JsonStringToMessage(json.dump(), &recipe);
  check(status.ok(), "recipe: {}", status.ToString());
  return recipe;
}

template <typename Value>
Json nullable(const std::optional<Value>& value) {
  return value ? Json(*value) : Json();
}

template <typename Value>
std::optional<Value> optional_of(const Json& json) {
  return json.is_null() ? std::nullopt : std::optional(json.get<Value>());
}

DatasetName dataset_of(const std::string& name) {
  for (const DatasetName known :
       {DatasetName::kMnist, DatasetName::kFashionMnist, DatasetName::kSynthetic}) {
    if (dataset_str(known) == name) {
      return known;
    }
  }
  fail("dataset: '{}' is none that this convoy knows", name);
}

Json json_of(const TrainOptions& options) {
  return {{"convoy", CONVOY_VERSION},
          {"dataset", dataset_str(options.data.dataset.value_or(DatasetName::kMnist))},
          {"data", options.data.directory.string()},
          {"raw_pixels", options.data.raw_pixels},
          {"model", options.model},
          {"init_from", options.init_from.string()},
          {"recipe", recipe_json(options.recipe)},
          {"accumulate", options.accumulate},
          {"seed", options.seed},
          {"max_steps", nullable(options.max_steps)},
          {"shuffle", options.shuffle},
          {"threads", nullable(options.threads)},
          {"reproducible", options.distributed.reproducible},
          {"micro_shards", options.distributed.micro_shards},
          {"bf16_gradients", options.distributed.reduce.bf16},
          {"on_nan", on_nan_str(options.distributed.on_nan)}};
}

// Those that change what is learned.
void read_distributed(const Json& json, DistributedOptions& options) {
  options.reproducible = json.at("reproducible").get<bool>();
  options.micro_shards = json.at("micro_shards").get<int>();
  check(options.micro_shards >= 1 && options.micro_shards <= kMaxMicroShards,
        "micro_shards: {} is not in 1 to {}", options.micro_shards, kMaxMicroShards);
  options.reduce.bf16 = json.at("bf16_gradients").get<bool>();
  options.on_nan = parse_on_nan(json.at("on_nan").get<std::string>());
}

}  // namespace

std::string config_text(const TrainOptions& options) {
  // A path may be any bytes; those that are not UTF-8 are replaced rather than refused.
  return json_of(options).dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

TrainOptions parse_config(std::string_view text, std::string_view source) {
  try {
    const Json json = Json::parse(text);
    const Json ours = json_of({});
    std::vector<std::string> known;
    for (const auto& [key, value] : ours.items()) {
      known.push_back(key);
    }
    for (const auto& [key, value] : json.items()) {
      check(std::ranges::find(known, key) != known.end(), "unknown option '{}'{}", key,
            did_you_mean(key, known));
    }
    TrainOptions options;
    options.data = {.dataset = dataset_of(json.at("dataset").get<std::string>()),
                    .directory = json.at("data").get<std::string>(),
                    .raw_pixels = json.at("raw_pixels").get<bool>()};
    options.model = json.at("model").get<std::string>();
    options.init_from = json.at("init_from").get<std::string>();
    options.recipe = recipe_of(json.at("recipe"));
    options.accumulate = json.at("accumulate").get<std::int64_t>();
    options.seed = json.at("seed").get<std::uint64_t>();
    options.max_steps = optional_of<std::int64_t>(json.at("max_steps"));
    options.shuffle = json.at("shuffle").get<bool>();
    options.threads = optional_of<int>(json.at("threads"));
    read_distributed(json, options.distributed);
    return options;
  } catch (const Json::exception& error) {
    fail("{}: not a run's config.json: {}", source, error.what());
  } catch (const Error& error) {
    fail("{}: {}", source, error.what());
  }
}

}  // namespace convoy::launcher
