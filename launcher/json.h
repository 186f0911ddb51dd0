// What convoy writes as JSON: one epoch, and the options of a run. nlohmann's full header is for
// .cc files alone.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/metrics.h"
#include "launcher/options.h"

namespace convoy::launcher {

/// {"epoch": 1, "train_loss": 0.12, "train_accuracy": 0.96, "test_loss": ..., "test_accuracy": ...,
/// "images_per_second": 1234.5, "seconds": 50.1}; numbers that are not finite are null.
nlohmann::ordered_json to_json(const EpochMetrics& metrics);

/// Reads to_json back; null becomes NaN. Throws Error or nlohmann's exception.
EpochMetrics epoch_of(const nlohmann::ordered_json& object);

/// Text from outside. Throws nlohmann's exception unless it is JSON; what lies deeper in it than
/// anything of ours is left out, for it could exhaust the stack.
nlohmann::ordered_json parse_json(std::string_view text);

/// A member that is a whole number from 0 to `max`, or a number or null (which becomes NaN). Throw
/// Error or nlohmann's exception.
std::int64_t count_of(const nlohmann::ordered_json& object, const char* key,
                      std::int64_t max = INT64_MAX);
double number_or_nan(const nlohmann::ordered_json& object, const char* key);

/// The lines of a metrics.jsonl; null becomes NaN. Throws Error with file and line.
std::vector<EpochMetrics> read_metrics(const std::filesystem::path& file);

/// config.json: everything that decides the result of a run, and `version` of convoy.
std::string config_text(const TrainOptions& options);

/// Reads config_text back; `source` is for messages. A key that is not known is refused with the
/// nearest one, so that a newer run is not half understood. Throws Error.
TrainOptions parse_config(std::string_view text, std::string_view source);

}  // namespace convoy::launcher
