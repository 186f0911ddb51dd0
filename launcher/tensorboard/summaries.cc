#include "launcher/tensorboard/summaries.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "core/base/check.h"
#include "launcher/json.h"

namespace convoy::launcher {
namespace {

using v1::tensorboard::Event;
using v1::tensorboard::HParamsPluginData;

// Keys of config.json that change no result.
constexpr std::array<std::string_view, 6> kNoHyperParameters = {
    "/convoy", "/data", "/threads", "/checkpoint_every", "/keep_last", "/keep_best"};

double seconds_of(std::chrono::system_clock::time_point time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

// The plugin looks at the tag and the metadata; that there is no value is allowed.
Event hparams_event(const char* tag, const HParamsPluginData& data) {
  Event event;
  auto* value = event.mutable_summary()->add_value();
  value->set_tag(tag);
  auto* plugin = value->mutable_metadata()->mutable_plugin_data();
  plugin->set_plugin_name("hparams");
  plugin->set_content(data.SerializeAsString());
  return event;
}

// "/recipe/augment/shift" is "augment.shift".
std::string parameter_name(std::string key) {
  constexpr std::string_view kRecipe = "/recipe/";
  key.erase(0, key.starts_with(kRecipe) ? kRecipe.size() : 1);
  std::ranges::replace(key, '/', '.');
  return key;
}

std::uint32_t big_endian(std::string_view bytes) {
  std::uint32_t number = 0;
  for (const char byte : bytes.substr(0, 4)) {
    number = (number << 8) | static_cast<unsigned char>(byte);
  }
  return number;
}

}  // namespace

Event scalars_event(std::int64_t step, std::span<const Scalar> scalars) {
  Event event;
  event.set_step(step);
  for (const Scalar& scalar : scalars) {
    auto* value = event.mutable_summary()->add_value();
    value->set_tag(std::string(scalar.tag));
    value->set_simple_value(static_cast<float>(scalar.value));
  }
  return event;
}

Event session_start_event(std::int64_t step) {
  Event event;
  event.set_step(step);
  event.mutable_session_log()->set_status(v1::tensorboard::SessionLog::START);
  return event;
}

Event image_event(std::int64_t step, std::string_view tag, std::string_view png) {
  // A signature of 8 bytes, then the chunk IHDR: its length, its name, width, height.
  constexpr std::string_view kBegin("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16);
  check(png.size() > 24 && png.starts_with(kBegin), "the picture {} is no PNG", tag);
  Event event;
  event.set_step(step);
  auto* value = event.mutable_summary()->add_value();
  value->set_tag(std::string(tag));
  value->mutable_image()->set_width(static_cast<std::int32_t>(big_endian(png.substr(16))));
  value->mutable_image()->set_height(static_cast<std::int32_t>(big_endian(png.substr(20))));
  value->mutable_image()->set_colorspace(3);
  value->mutable_image()->set_encoded_image_string(std::string(png));
  return event;
}

Event hyper_parameters_event(std::string_view config, std::chrono::system_clock::time_point start) {
  HParamsPluginData data;
  auto& info = *data.mutable_session_start_info();
  info.set_start_time_secs(seconds_of(start));
  const auto options = parse_json(config).flatten();
  for (const auto& [key, option] : options.items()) {
    const bool empty = option.is_null() || option == "";
    if (empty || std::ranges::find(kNoHyperParameters, key) != kNoHyperParameters.end()) {
      continue;
    }
    google::protobuf::Value& value = (*info.mutable_hparams())[parameter_name(key)];
    if (option.is_boolean()) {
      value.set_bool_value(option.get<bool>());
    } else if (option.is_number()) {
      value.set_number_value(option.get<double>());
    } else {
      value.set_string_value(option.is_string() ? option.get<std::string>() : option.dump());
    }
  }
  return hparams_event("_hparams_/session_start_info", data);
}

Event success_event(std::chrono::system_clock::time_point end) {
  HParamsPluginData data;
  data.mutable_session_end_info()->set_status(v1::tensorboard::STATUS_SUCCESS);
  data.mutable_session_end_info()->set_end_time_secs(seconds_of(end));
  return hparams_event("_hparams_/session_end_info", data);
}

}  // namespace convoy::launcher
