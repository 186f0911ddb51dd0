// Refusals are checked with their text: a user meets nothing else of them.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "core/base/check.h"

namespace convoy::testing {

/// Expects that `call` throws Error and returns its text, or "" after a test failure.
template <typename Call>
std::string error_of(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  ADD_FAILURE() << "nothing was refused";
  return "";
}

/// Expects that `call` throws Error with each of `parts` in its text.
template <typename Call, typename... Parts>
void expect_error(const Call& call, const Parts&... parts) {
  const std::string text = error_of(call);
  for (const std::string_view part : {std::string_view(parts)...}) {
    EXPECT_NE(text.find(part), std::string::npos) << "no '" << part << "' in: " << text;
  }
}

}  // namespace convoy::testing
