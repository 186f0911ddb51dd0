// config.json, written and read back.
#include <google/protobuf/util/json_util.h>

#include <nlohmann/json.hpp>

#include "core/base/check.h"
#include "core/base/nearest.h"
#include "launcher/json.h"
#include "launcher/rule.h"

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

// A file may have been changed by hand; flags have been through this.
void check_ranges(const v1::Recipe& recipe) {
  using google::protobuf::FieldDescriptor;
  std::vector<const FieldDescriptor*> fields;
  recipe.GetReflection()->ListFields(recipe, &fields);
  for (const FieldDescriptor* field : fields) {
    const v1::Rule& rule = field->options().GetExtension(v1::rule);
    const bool whole = field->cpp_type() == FieldDescriptor::CPPTYPE_INT32;
    if (!whole && field->cpp_type() != FieldDescriptor::CPPTYPE_DOUBLE) {
      continue;
    }
    const double value = whole ? recipe.GetReflection()->GetInt32(recipe, field)
                               : recipe.GetReflection()->GetDouble(recipe, field);
    check(accepts(rule, value), "recipe: {} {} must be {}", field->name(), value, range_text(rule));
  }
}

v1::Recipe recipe_of(const Json& json) {
  v1::Recipe recipe;
  const auto status = google::protobuf::util::JsonStringToMessage(json.dump(), &recipe);
  check(status.ok(), "recipe: {}", status.ToString());
  check_ranges(recipe);
  return recipe;
}

template <typename Value>
Json nullable(const std::optional<Value>& value) {
  return value ? Json(*value) : Json();
}

std::optional<std::int64_t> optional_count_of(const Json& json, const char* key,
                                              std::int64_t max = INT64_MAX) {
  return json.at(key).is_null() ? std::nullopt : std::optional(count_of(json, key, max));
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
          {"checkpoint_every", nullable(options.checkpoint_every)},
          {"keep_last", options.keep.last},
          {"keep_best", options.keep.best},
          {"reproducible", options.distributed.reproducible},
          {"micro_shards", options.distributed.micro_shards},
          {"bf16_gradients", options.distributed.reduce.bf16},
          {"on_nan", on_nan_str(options.distributed.on_nan)}};
}

// Those that change what is learned.
void read_distributed(const Json& json, DistributedOptions& options) {
  options.reproducible = json.at("reproducible").get<bool>();
  options.micro_shards = static_cast<int>(count_of(json, "micro_shards", INT32_MAX));
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
    const Json json = parse_json(text);
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
    options.accumulate = count_of(json, "accumulate", 1 << 20);
    options.seed = static_cast<std::uint64_t>(count_of(json, "seed"));
    options.max_steps = optional_count_of(json, "max_steps");
    options.shuffle = json.at("shuffle").get<bool>();
    options.threads = static_cast<std::optional<int>>(optional_count_of(json, "threads", 4096));
    options.checkpoint_every = optional_count_of(json, "checkpoint_every");
    options.keep = {.last = static_cast<int>(count_of(json, "keep_last", 10'000)),
                    .best = static_cast<int>(count_of(json, "keep_best", 10'000))};
    check(options.accumulate >= 1 && options.threads != 0 && options.checkpoint_every != 0 &&
              options.keep.last >= 1,
          "accumulate, threads, checkpoint_every and keep_last must be at least 1");
    read_distributed(json, options.distributed);
    return options;
  } catch (const Json::exception& error) {
    fail("{}: not a run's config.json: {}", source, error.what());
  } catch (const Error& error) {
    fail("{}: {}", source, error.what());
  }
}

}  // namespace convoy::launcher
