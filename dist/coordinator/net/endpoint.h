// Where a coordinator is, and what it takes to be let in: for both sides.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace convoy::dist {

/// PEM files. A server needs certificate and key; with `authority` it demands certificates from its
/// clients, signed by it. A client needs `authority`, or trusts the system's, and certificate and
/// key where the server demands one.
struct TlsFiles {
  std::filesystem::path certificate = {};
  std::filesystem::path key = {};
  std::filesystem::path authority = {};
};

/// A secret, see is_token; empty: none. Never printed.
using Token = std::string;

/// Whether `text` can be one: 16 to 1024 printable characters without spaces.
bool is_token(std::string_view text);

/// Reads a token from the first line of `file`. Throws Error, naming the file but not the token, if
/// it cannot be read, is too short or long, or if others than its owner may read it.
Token read_token(const std::filesystem::path& file);
/// 256 random bits, as 64 hexadecimal digits.
Token make_token();
/// In time that depends on the lengths alone.
bool equal_tokens(std::string_view one, std::string_view other);

/// What a client needs.
struct Endpoint {
  std::string address = {};  ///< HOST:PORT
  Token token = {};
  bool tls = false;
  TlsFiles tls_files = {};
};

/// Whether HOST:PORT, [V6]:PORT or HOST names this machine's loopback.
bool is_loopback(std::string_view address);

}  // namespace convoy::dist
