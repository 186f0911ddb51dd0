// Checks a parsed model file against the rules that its schema gives (proto/convoy/v1/rule.proto).
#pragma once

#include <google/protobuf/text_format.h>

#include <string>

#include "convoy/v1/model.pb.h"

namespace convoy::launcher {

/// Where the parser found things, and in which file.
struct ParsedPlaces {
  std::string source;
  const google::protobuf::TextFormat::ParseInfoTree& tree;
};

/// Throws Error, with place, layer and numbers, for a required field that is missing, a number out
/// of its range, a field given too often, a name that cannot be part of a state_dict key, a layer
/// without a kind, or two layers of one name.
void check_rules(const v1::Model& model, const ParsedPlaces& places);

/// "net.textproto:7:9" of layer `index`; only "net.textproto" if the parser has no position.
std::string layer_place(const ParsedPlaces& places, int index);

/// "conv2d": what the layer is, as the file says it; "" if it says nothing.
std::string kind_name(const v1::Layer& layer);

}  // namespace convoy::launcher
