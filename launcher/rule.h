// Ranges of numbers as the schema writes them (proto/convoy/v1/rule.proto), for files and flags.
#pragma once

#include <string>

#include "convoy/v1/rule.pb.h"

namespace convoy::launcher {

/// Whether `value` is finite and within the rule's range.
bool accepts(const v1::Rule& rule, double value);

/// "1 to 16384", "at least 0", "at least 0 and below 1".
std::string range_text(const v1::Rule& rule);

}  // namespace convoy::launcher
