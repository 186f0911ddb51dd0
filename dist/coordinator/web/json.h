// Protocol messages in their canonical JSON form.
#pragma once

#include <google/protobuf/message.h>

#include <string>
#include <string_view>

namespace convoy::dist {

/// The mapping of protobuf.dev/programming-guides/json: camelCase, 64-bit integers as strings,
/// times in RFC 3339; numbers and texts appear also when they are 0 or empty. One line.
std::string to_json(const google::protobuf::Message& message);

/// Throws Refusal, naming what is wrong, if `json` is not one of these messages.
void from_json(std::string_view json, google::protobuf::Message& message);

}  // namespace convoy::dist
