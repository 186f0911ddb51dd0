#include "dist/coordinator/net/tls_pem.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/dist/coordinator/net/certificates.h"
#include "tests/support/expect_error.h"

namespace convoy::dist {
namespace {

using testing::expect_error;

void overwrite(const std::filesystem::path& file, const std::string& text) {
  std::ofstream(file) << text;
}

TEST(TlsPemTest, WholeFilesAreRead) {
  const Certificates made;
  TlsFiles files = made.server();
  files.authority = made.file("ca.pem");
  const TlsPem pem = read_tls_files(files);
  EXPECT_TRUE(pem.certificate.starts_with("-----BEGIN CERTIFICATE-----"));
  EXPECT_TRUE(pem.key.starts_with("-----BEGIN PRIVATE KEY-----"));
  EXPECT_TRUE(pem.authority.starts_with("-----BEGIN CERTIFICATE-----"));
  EXPECT_TRUE(read_tls_files({}).certificate.empty());
}

TEST(TlsPemTest, WhatIsNoPemOfItsKindIsNamed) {
  const Certificates made;
  const auto refused = [](const TlsFiles& files, const auto&... texts) {
    expect_error([&] { read_tls_files(files); }, texts...);
  };
  const std::string key = made.file("server.key");
  const std::string certificate = made.file("server.pem");
  refused({.certificate = key, .key = key}, key, "holds no certificate");
  refused({.certificate = certificate, .key = made.file("none")}, "none");
  refused({.certificate = certificate}, certificate, "only of use together");
  refused({.key = key}, key, "only of use together");
  refused({.certificate = certificate, .key = made.file("client-one.key")}, "is not that of");
  refused({.authority = key}, key, "holds no certificate");
  overwrite(key, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
  refused(made.server(), key, "holds no private key");
  overwrite(certificate, std::string(2 << 20, 'x'));
  refused(made.server(), certificate, "no PEM file");
}

TEST(TlsPemTest, AKeyThatOthersMayReadIsRefused) {
  const Certificates made;
  using std::filesystem::perms;
  std::filesystem::permissions(made.file("server.key"),
                               perms::owner_read | perms::owner_write | perms::group_read);
  expect_error([&] { read_tls_files(made.server()); }, "may be read by others", "chmod 600");
}

}  // namespace
}  // namespace convoy::dist
