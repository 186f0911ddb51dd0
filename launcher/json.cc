#include "launcher/json.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/base/check.h"

namespace convoy::launcher {
namespace {

using Json = nlohmann::ordered_json;

// null for what is not finite, which JSON cannot say.
double number_or_nan(const Json& object, const char* key) {
  const Json& value = object.at(key);
  return value.is_null() ? EpochMetrics::kNone : value.get<double>();
}

EpochMetrics metrics_of(const Json& object) {
  return {.epoch = object.at("epoch").get<int>(),
          .train_loss = number_or_nan(object, "train_loss"),
          .train_accuracy = number_or_nan(object, "train_accuracy"),
          .test_loss = number_or_nan(object, "test_loss"),
          .test_accuracy = number_or_nan(object, "test_accuracy"),
          .images_per_second = number_or_nan(object, "images_per_second"),
          .seconds = std::chrono::duration<double>(number_or_nan(object, "seconds"))};
}

}  // namespace

Json to_json(const EpochMetrics& metrics) {
  return {{"epoch", metrics.epoch},
          {"train_loss", metrics.train_loss},
          {"train_accuracy", metrics.train_accuracy},
          {"test_loss", metrics.test_loss},
          {"test_accuracy", metrics.test_accuracy},
          {"images_per_second", metrics.images_per_second},
          {"seconds", metrics.seconds.count()}};
}

std::vector<EpochMetrics> read_metrics(const std::filesystem::path& file) {
  std::ifstream in(file);
  check(in.good(), "cannot read {}", file.string());
  std::vector<EpochMetrics> epochs;
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    try {
      epochs.push_back(metrics_of(Json::parse(line)));
    } catch (const Json::exception& error) {
      fail("{}:{}: not an epoch's metrics: {}", file.string(), number, error.what());
    }
  }
  return epochs;
}

}  // namespace convoy::launcher
