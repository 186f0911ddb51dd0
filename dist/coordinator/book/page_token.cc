#include "dist/coordinator/book/page_token.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>

#include "core/base/printable.h"
#include "core/io/hash64.h"
#include "dist/coordinator/base/refusal.h"

namespace convoy::dist {
namespace {

constexpr std::size_t kMaxTokenBytes = 64;

std::uint64_t hash_of(std::string_view text) {
  return io::hash64(std::as_bytes(std::span(text)));
}

// AFTER-STRIDE-HASH, all in hexadecimal; the hash is of the question and of what stands before it.
std::string token_of(std::string_view question, std::uint64_t after, std::uint64_t stride) {
  const std::string numbers = fmt::format("{:x}-{:x}", after, stride);
  return fmt::format("{}-{:x}", numbers, hash_of(fmt::format("{}/{}", numbers, question)));
}

}  // namespace

std::string make_page_token(std::string_view question, std::int64_t after, std::int64_t stride) {
  return token_of(question, static_cast<std::uint64_t>(after), static_cast<std::uint64_t>(stride));
}

Page read_page(std::string_view question, std::int32_t size, const std::string& token,
               std::int64_t default_size, std::int64_t max_size) {
  if (size < 0) {
    refuse(Refusal::Kind::kInvalidArgument, "page_size is {}; it must not be negative", size);
  }
  Page page{.size = size == 0 ? default_size : std::min<std::int64_t>(size, max_size)};
  if (token.empty()) {
    return page;
  }
  std::array<std::uint64_t, 2> numbers = {};
  bool good = token.size() <= kMaxTokenBytes;
  const char* at = token.data();
  const char* const end = at + token.size();
  for (std::uint64_t& number : numbers) {
    const auto result = std::from_chars(at, end, number, 16);
    good = good && result.ec == std::errc() && result.ptr != end && *result.ptr == '-';
    if (!good) {
      break;
    }
    at = result.ptr + 1;
  }
  if (!good || token_of(question, numbers[0], numbers[1]) != token) {
    refuse(Refusal::Kind::kInvalidArgument,
           "page_token {} is none that was given for this request; begin with an empty one",
           printable(token));
  }
  page.after = static_cast<std::int64_t>(numbers[0]);
  page.stride = static_cast<std::int64_t>(numbers[1]);
  page.is_first = false;
  return page;
}

}  // namespace convoy::dist
