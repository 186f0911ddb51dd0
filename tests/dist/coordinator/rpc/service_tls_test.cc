// The service with TLS, and with certificates on both sides.
#include <gtest/gtest.h>

#include "tests/dist/coordinator/net/certificates.h"
#include "tests/dist/coordinator/rpc/service_fixture.h"
#include "tests/support/expect_error.h"

namespace convoy::dist {
namespace {

using Kind = Refusal::Kind;

class ServiceTlsTest : public ServiceFixture {
 protected:
  void serve_tls(bool mutual) {
    CoordinatorServer::Options with = options();
    with.tls = made_.server();
    if (mutual) {
      with.tls->authority = made_.file("ca.pem");
    }
    serve(with);
  }
  /// What a client with these files meets; nothing if it is let in.
  std::optional<Kind> met_with(const TlsFiles& files, const std::string& host = "127.0.0.1") const {
    CoordinatorClient client({.endpoint = {.address = host + ":" + std::to_string(port()),
                                           .token = kToken,
                                           .tls = true,
                                           .tls_files = files},
                              .timeout = std::chrono::seconds(10)});
    return refusal_of([&] { client.list_runs({}); });
  }

  Certificates made_;
};

TEST_F(ServiceTlsTest, WhoTrustsTheAuthorityIsServedAndOthersAreNot) {
  serve_tls(false);
  EXPECT_EQ(met_with({.authority = made_.file("ca.pem")}), std::nullopt);
  EXPECT_EQ(met_with({.authority = made_.file("ca.pem")}, "localhost"), std::nullopt);
  EXPECT_EQ(met_with({.authority = made_.file("ca.pem")}, "127.0.0.2"), Kind::kUnavailable)
      << "a name that is not in the certificate";
  const Certificates other;
  EXPECT_EQ(met_with({.authority = other.file("ca.pem")}), Kind::kUnavailable);
  EXPECT_EQ(refusal_of([&] { client().list_runs({}); }), Kind::kUnavailable) << "no TLS at all";
}

TEST_F(ServiceTlsTest, TheTokenIsStillNeeded) {
  serve_tls(false);
  CoordinatorClient client({.endpoint = {.address = server_->address(),
                                         .tls = true,
                                         .tls_files = {.authority = made_.file("ca.pem")}}});
  EXPECT_EQ(refusal_of([&] { client.list_runs({}); }), Kind::kUnauthenticated);
}

TEST_F(ServiceTlsTest, AMutualServerServesOnlyItsAuthoritysClients) {
  serve_tls(true);
  TlsFiles files = made_.client();
  files.authority = made_.file("ca.pem");
  EXPECT_EQ(met_with(files), std::nullopt);
  EXPECT_EQ(met_with({.authority = made_.file("ca.pem")}), Kind::kUnavailable) << "no certificate";
  const Certificates other;
  TlsFiles foreign = other.client();
  foreign.authority = made_.file("ca.pem");
  EXPECT_EQ(met_with(foreign), Kind::kUnavailable);
  TlsFiles server = made_.server();
  server.authority = made_.file("ca.pem");
  EXPECT_EQ(met_with(server), Kind::kUnavailable) << "a server's certificate is no client's";
}

TEST_F(ServiceTlsTest, FilesThatAreNotThereAreRefusedByBothSides) {
  CoordinatorServer::Options with = options();
  with.tls = TlsFiles{.certificate = "/none.pem", .key = "/none.key"};
  testing::expect_error([&] { serve(with); }, "/none.pem");
  with.tls = TlsFiles{};
  testing::expect_error([&] { serve(with); }, "takes a certificate");
  testing::expect_error(
      [] {
        CoordinatorClient(
            {.endpoint = {
                 .address = "127.0.0.1:1", .tls = true, .tls_files = {.authority = "/none.pem"}}});
      },
      "/none.pem");
}

}  // namespace
}  // namespace convoy::dist
