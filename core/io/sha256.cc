#include "core/io/sha256.h"

#include <fmt/ranges.h>
#include <openssl/evp.h>

#include <array>

#include "core/base/check.h"
#include "core/io/file.h"

namespace convoy::io {
namespace {

void check_done(int result) {
  check(result == 1, "OpenSSL cannot compute SHA-256: its configuration forbids or lacks it");
}

}  // namespace

struct Sha256::State {
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context = {EVP_MD_CTX_new(),
                                                                     &EVP_MD_CTX_free};
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  check_done(EVP_DigestInit_ex(state_->context.get(), EVP_sha256(), nullptr));
}

Sha256::~Sha256() = default;

void Sha256::add(std::span<const std::byte> bytes) {
  check_done(EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()));
}

std::string Sha256::hex() {
  std::array<unsigned char, 32> digest{};
  check_done(EVP_DigestFinal_ex(state_->context.get(), digest.data(), nullptr));
  return fmt::format("{:02x}", fmt::join(digest, ""));
}

std::string sha256_hex(std::span<const std::byte> bytes) {
  Sha256 sha256;
  sha256.add(bytes);
  return sha256.hex();
}

std::string sha256_hex_of_file(const std::filesystem::path& path) {
  Sha256 sha256;
  read_pieces(path, [&](std::span<const std::byte> piece) { sha256.add(piece); });
  return sha256.hex();
}

}  // namespace convoy::io
