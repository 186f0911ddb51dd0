// Models as text: finding one by name or file, and reading it. What is read here is well formed in
// itself; whether it fits the data is for build_model.h. The format: proto/convoy/v1/model.proto.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "convoy/v1/model.pb.h"

namespace convoy::launcher {

/// A model file that has been read.
struct ModelSpec {
  v1::Model model;
  std::string text;    ///< as it was written, comments included
  std::string source;  ///< the file's name, for messages
  /// Of each layer, "net.textproto:7:9" (line and column from 1).
  std::vector<std::string> layer_places = {};
};

/// Longer files are refused before they are read.
inline constexpr std::size_t kMaxModelBytes = std::size_t{1} << 20;

/// Reads a model from `text`. Throws Error, with file, line and column, if it is not protobuf text
/// format, has an unknown layer or field (the nearest name is suggested), a value that the schema
/// refuses, a layer without a kind or two layers of one name. `source` is for messages.
ModelSpec parse_model(std::string_view text, std::string_view source);

/// The built-in model called `name_or_file`, or else the model in the file of that name. Throws
/// Error if there is neither (the nearest built-in name is suggested) and what parse_model throws.
ModelSpec load_model(const std::string& name_or_file);

}  // namespace convoy::launcher
