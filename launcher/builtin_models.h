// The models that convoy brings: the files of launcher/models, embedded by CMake.
#pragma once

#include <span>
#include <string_view>

namespace convoy::launcher {

struct BuiltinModel {
  std::string_view name;  ///< "tutorial"
  std::string_view text;  ///< the file as it is in the tree
};

/// In the order to list them; valid for the life of the process.
std::span<const BuiltinModel> builtin_models();

}  // namespace convoy::launcher
