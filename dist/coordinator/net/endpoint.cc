#include "dist/coordinator/net/endpoint.h"

#include <arpa/inet.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>

#include "core/base/check.h"

namespace convoy::dist {
namespace {

constexpr std::size_t kMinTokenBytes = 16;
constexpr std::size_t kMaxTokenBytes = 1024;

std::string_view host_of(std::string_view address) {
  if (address.starts_with('[')) {
    const std::size_t end = address.find(']');
    return end == std::string_view::npos ? address : address.substr(1, end - 1);
  }
  const std::size_t colon = address.find(':');
  // More than one colon without brackets is a bare IPv6 address.
  return colon != address.rfind(':') ? address : address.substr(0, colon);
}

}  // namespace

bool is_token(std::string_view text) {
  return text.size() >= kMinTokenBytes && text.size() <= kMaxTokenBytes &&
         std::ranges::all_of(text, [](unsigned char c) { return std::isgraph(c) != 0; });
}

Token read_token(const std::filesystem::path& file) {
  struct stat status = {};
  check(::stat(file.c_str(), &status) == 0, "cannot read the token file {}: there is none",
        file.string());
  check((status.st_mode & (S_IRWXG | S_IRWXO)) == 0,
        "the token file {} may be read by others than its owner; say: chmod 600 {}", file.string(),
        file.string());
  std::ifstream stream(file);
  std::array<char, kMaxTokenBytes + 2> line = {};
  stream.getline(line.data(), line.size());
  Token token(line.data());
  if (token.ends_with('\r')) {
    token.pop_back();
  }
  check(is_token(token),
        "the first line of the token file {} is no token: {} to {} printable characters without "
        "spaces; make one with: (umask 077; openssl rand -hex 32 > {})",
        file.string(), kMinTokenBytes, kMaxTokenBytes, file.string());
  return token;
}

Token make_token() {
  std::array<unsigned char, 32> random = {};
  check(RAND_bytes(random.data(), static_cast<int>(random.size())) == 1,
        "the system gives no random numbers for a token");
  constexpr std::string_view kDigits = "0123456789abcdef";
  Token token;
  for (const unsigned char byte : random) {
    token += kDigits[byte >> 4];
    token += kDigits[byte & 15];
  }
  return token;
}

bool equal_tokens(std::string_view one, std::string_view other) {
  return one.size() == other.size() && CRYPTO_memcmp(one.data(), other.data(), one.size()) == 0;
}

bool is_loopback(std::string_view address) {
  const std::string host(host_of(address));
  // A name like 127.example.org is anybody's.
  in_addr number = {};
  return host == "localhost" || host == "::1" ||
         (::inet_pton(AF_INET, host.c_str(), &number) == 1 && ntohl(number.s_addr) >> 24 == 127);
}

}  // namespace convoy::dist
