// Suggestions for a name that nobody knows.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace convoy {

/// " (did you mean 'conv2d'?)" with the name of `known` that takes the fewest edits (a letter
/// inserted, removed, replaced, or two neighbours swapped; case is free) to become `given`, or ""
/// if that takes more than a third of the letters. Of equally near ones the first.
std::string did_you_mean(std::string_view given, std::span<const std::string> known);

}  // namespace convoy
