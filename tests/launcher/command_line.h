// Command lines as a test writes them down.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <variant>
#include <vector>

#include "launcher/options.h"

namespace convoy::launcher::testing {

inline Command parse(const std::vector<std::string>& arguments) {
  std::vector<const char*> argv = {"convoy"};
  for (const std::string& argument : arguments) {
    argv.push_back(argument.c_str());
  }
  return parse_command_line(static_cast<int>(argv.size()), argv.data());
}

template <typename Options>
Options parse_as(const std::vector<std::string>& arguments) {
  return std::get<Options>(parse(arguments));
}

/// The text of the refusal, or "" after a test failure.
inline std::string refusal(const std::vector<std::string>& arguments) {
  try {
    parse(arguments);
  } catch (const UsageError& error) {
    return error.what();
  }
  ADD_FAILURE() << "nothing was refused";
  return "";
}

inline std::string refusal_of_train(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "train");
  return refusal(arguments);
}

}  // namespace convoy::launcher::testing
