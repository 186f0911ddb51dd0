// What a coordinator answers to a request that it does not carry out.
#pragma once

#include "core/base/check.h"

namespace convoy::dist {

/// Thrown by everything that takes a coordinator's requests. The text is for people, and names what
/// was wrong with which value. The RPC edge turns it into the status code of the same name.
class Refusal : public Error {
 public:
  enum class Kind {
    kInvalidArgument,
    kNotFound,
    kFailedPrecondition,  ///< the speaker is stale
    kAborted,             ///< a report before this one is missing
    kResourceExhausted,
    kUnauthenticated,
    kUnavailable,
  };

  Refusal(Kind kind, const std::string& text) : Error(text), kind_(kind) {}
  Kind kind() const { return kind_; }

 private:
  Kind kind_;
};

/// Throws Refusal.
template <typename... Args>
[[noreturn]] void refuse(Refusal::Kind kind, fmt::format_string<Args...> text, Args&&... args) {
  throw Refusal(kind, fmt::format(text, std::forward<Args>(args)...));
}

}  // namespace convoy::dist
