#include "launcher/json.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/base/check.h"

namespace convoy::launcher {

using Json = nlohmann::ordered_json;

Json parse_json(std::string_view text) {
  constexpr int kMaxDepth = 16;
  return Json::parse(text,
                     [](int depth, Json::parse_event_t, Json&) { return depth <= kMaxDepth; });
}

std::int64_t count_of(const Json& object, const char* key, std::int64_t max) {
  const Json& value = object.at(key);
  check(value.is_number_unsigned() && value.get<std::uint64_t>() <= static_cast<std::uint64_t>(max),
        "{} must be a whole number from 0 to {}", key, max);
  return value.get<std::int64_t>();
}

double number_or_nan(const Json& object, const char* key) {
  const Json& value = object.at(key);
  return value.is_null() ? EpochMetrics::kNone : value.get<double>();
}

EpochMetrics epoch_of(const Json& object) {
  return {.epoch = static_cast<int>(count_of(object, "epoch", INT32_MAX)),
          .train_loss = number_or_nan(object, "train_loss"),
          .train_accuracy = number_or_nan(object, "train_accuracy"),
          .test_loss = number_or_nan(object, "test_loss"),
          .test_accuracy = number_or_nan(object, "test_accuracy"),
          .images_per_second = number_or_nan(object, "images_per_second"),
          .seconds = std::chrono::duration<double>(number_or_nan(object, "seconds"))};
}

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
      epochs.push_back(epoch_of(parse_json(line)));
    } catch (const Json::exception& error) {
      fail("{}:{}: not an epoch's metrics: {}", file.string(), number, error.what());
    } catch (const Error& error) {
      fail("{}:{}: not an epoch's metrics: {}", file.string(), number, error.what());
    }
  }
  return epochs;
}

}  // namespace convoy::launcher
