// What `convoy status --json` prints.
#include <google/protobuf/util/json_util.h>

#include <nlohmann/json.hpp>

#include "core/base/check.h"
#include "launcher/status_report.h"

namespace convoy::launcher {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  // So that the same fields are there whatever their values.
  options.always_print_primitive_fields = true;
  std::string text;
  const auto status = google::protobuf::util::MessageToJsonString(message, &text, options);
  check(status.ok(), "a message of the coordinator cannot be shown: {}", status.ToString());
  return Json::parse(text);
}

template <typename Messages>
Json list_of(const Messages& messages) {
  Json list = Json::array();
  for (const auto& message : messages) {
    list.push_back(json_of(message));
  }
  return list;
}

Json object_of(const StatusReport& report) {
  Json object = {{"source", report.from_database ? "database" : "coordinator"},
                 {"note", report.note},
                 {"run", json_of(report.run)}};
  if (!report.page.empty()) {
    object["page"] = report.page;
  }
  return object;
}

// ASCII alone, so that no text of others reaches a terminal as a command.
std::string line_of(const Json& object) {
  return object.dump(-1, ' ', true, Json::error_handler_t::replace);
}

}  // namespace

std::string status_json(const StatusReport& report, const StatusParts& parts) {
  Json object = object_of(report);
  object["events"] = list_of(report.events);
  if (parts.ranks) {
    object["ranks"] = list_of(report.ranks);
  }
  if (parts.history) {
    object["epochs"] = list_of(report.epochs);
    object["steps"] = list_of(report.steps);
  }
  return line_of(object);
}

std::string status_json(std::span<const StatusReport> reports) {
  Json runs = Json::array();
  for (const StatusReport& report : reports) {
    runs.push_back(object_of(report));
  }
  return line_of({{"runs", runs}});
}

}  // namespace convoy::launcher
