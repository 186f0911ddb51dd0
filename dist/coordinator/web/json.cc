#include "dist/coordinator/web/json.h"

#include <google/protobuf/util/json_util.h>

#include "dist/coordinator/base/refusal.h"

namespace convoy::dist {

std::string to_json(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(message, &json, options);
  check(status.ok(), "a {} cannot be written as JSON: {}", message.GetTypeName(),
        std::string(status.message()));
  return json;
}

void from_json(std::string_view json, google::protobuf::Message& message) {
  const auto status = google::protobuf::util::JsonStringToMessage(
      google::protobuf::StringPiece(json.data(), json.size()), &message);
  if (!status.ok()) {
    throw Refusal(Refusal::Kind::kInvalidArgument,
                  fmt::format("the body is no JSON of a {}: {}", message.GetTypeName(),
                              std::string(status.message())));
  }
}

}  // namespace convoy::dist
