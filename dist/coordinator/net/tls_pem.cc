#include "dist/coordinator/net/tls_pem.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include <filesystem>
#include <memory>

#include "core/base/check.h"
#include "core/io/file.h"

namespace convoy::dist {
namespace {

constexpr std::uintmax_t kMaxPemBytes = 1 << 20;

template <auto kFree>
struct Freed {
  template <typename Object>
  void operator()(Object* object) const {
    kFree(object);
  }
};
using Bio = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;

std::string read_pem(const std::filesystem::path& file) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(file, error);
  check(error || size <= kMaxPemBytes, "{} is no PEM file: it has {} bytes", file.string(), size);
  const std::vector<std::byte> bytes = io::read_file(file);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Bio memory(const std::string& pem) {
  return Bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

// An encrypted key would make OpenSSL ask at the terminal.
int no_passphrase(char*, int, int, void*) {
  return 0;
}

Certificate parse_certificate(const std::string& pem, const std::filesystem::path& file) {
  Certificate certificate(PEM_read_bio_X509(memory(pem).get(), nullptr, no_passphrase, nullptr));
  ERR_clear_error();
  check(certificate != nullptr, "{} holds no certificate in PEM form", file.string());
  return certificate;
}

Key parse_key(const std::string& pem, const std::filesystem::path& file) {
  Key key(PEM_read_bio_PrivateKey(memory(pem).get(), nullptr, no_passphrase, nullptr));
  ERR_clear_error();
  check(key != nullptr, "{} holds no private key in PEM form without a passphrase", file.string());
  return key;
}

void check_private(const std::filesystem::path& file) {
  struct stat status = {};
  check(::stat(file.c_str(), &status) == 0 && (status.st_mode & (S_IRWXG | S_IRWXO)) == 0,
        "the private key {} may be read by others than its owner; say: chmod 600 {}", file.string(),
        file.string());
}

}  // namespace

TlsPem read_tls_files(const TlsFiles& files) {
  check(files.certificate.empty() == files.key.empty(),
        "a certificate and its private key are only of use together; given is only {}",
        files.certificate.empty() ? files.key.string() : files.certificate.string());
  TlsPem pem;
  if (!files.certificate.empty()) {
    pem.certificate = read_pem(files.certificate);
    pem.key = read_pem(files.key);
    check_private(files.key);
    const Certificate certificate = parse_certificate(pem.certificate, files.certificate);
    const Key key = parse_key(pem.key, files.key);
    const bool pair = X509_check_private_key(certificate.get(), key.get()) == 1;
    ERR_clear_error();
    check(pair, "the private key {} is not that of the certificate {}", files.key.string(),
          files.certificate.string());
  }
  if (!files.authority.empty()) {
    pem.authority = read_pem(files.authority);
    parse_certificate(pem.authority, files.authority);
  }
  return pem;
}

}  // namespace convoy::dist
