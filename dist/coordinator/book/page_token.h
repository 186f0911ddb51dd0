// Where a list goes on: an opaque token that fits only the question it was an answer to.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace convoy::dist {

struct Page {
  std::int64_t size = 0;
  /// Of the last element of the page before; only set if `is_first` is false.
  std::int64_t after = 0;
  std::int64_t stride = 0;
  bool is_first = true;
};

/// `question` is the serialized request without page_size and page_token.
std::string make_page_token(std::string_view question, std::int64_t after, std::int64_t stride = 0);
/// Throws Refusal::kInvalidArgument for a negative size, and for a token that was not made for this
/// question.
Page read_page(std::string_view question, std::int32_t size, const std::string& token,
               std::int64_t default_size, std::int64_t max_size);

/// The question of a request that has page_size and page_token.
template <typename Request>
std::string question_of(Request request) {
  request.clear_page_size();
  request.clear_page_token();
  return request.GetTypeName() + request.SerializeAsString();
}

/// The page that a request asks for; see read_page.
template <typename Request>
Page page_of(const Request& request, std::int64_t default_size, std::int64_t max_size) {
  return read_page(question_of(request), request.page_size(), request.page_token(), default_size,
                   max_size);
}

}  // namespace convoy::dist
