// Whom HttpServer serves: tokens, names, certificates.
#include "tests/dist/coordinator/net/certificates.h"
#include "tests/dist/coordinator/web/http_fixture.h"
#include "tests/support/expect_error.h"

namespace convoy::dist {
namespace {

class HttpAccessTest : public HttpFixture {};

TEST_F(HttpAccessTest, StoppingNeedsTheTokenInAHeader) {
  testing::MadeUpRun run(coordinator_, clock_, {.images = 1000, .batch_size = 100});
  run.take_steps(3);
  serve();
  httplib::Client other = client();
  const std::string body = R"({"reason": "enough"})";
  const char* const path = "/api/runs/mnist:stop";
  EXPECT_EQ(other.Post(path, body, "application/json")->status, 401);
  EXPECT_EQ(other.Post(path, bearer("a-token-that-is-wrong-xx"), body, "application/json")->status,
            401);
  EXPECT_EQ(other.Post("/api/runs/mnist:stop?token=" + kToken, body, "application/json")->status,
            401);
  EXPECT_EQ(get_json("/api/runs/mnist")["state"], "RUN_STATE_RUNNING");

  EXPECT_EQ(other.Post(path, bearer(kToken), "{\"reas", "application/json")->status, 400);
  EXPECT_EQ(other.Post("/api/runs/nobody:stop", bearer(kToken), "", "text/plain")->status, 404);
  const httplib::Result stopped = other.Post(path, bearer(kToken), body, "application/json");
  EXPECT_EQ(stopped->status, 200) << stopped->body;
  EXPECT_EQ(get_json("/api/runs/mnist")["state"], "RUN_STATE_STOPPING");
  EXPECT_THAT(get("/api/runs/mnist/events").body, HasSubstr("enough"));
}

TEST_F(HttpAccessTest, WithoutATokenNothingCanBeStopped) {
  serve({});
  EXPECT_EQ(get("/api/runs").status, 200);
  EXPECT_EQ(client().Post("/api/runs/mnist:stop", "", "text/plain")->status, 403);
  EXPECT_EQ(client().Post("/api/runs/mnist:stop", bearer(kToken), "", "text/plain")->status, 401);
}

TEST_F(HttpAccessTest, AccessIsToldWithoutATry) {
  serve();
  EXPECT_FALSE(get_json("/api/access")["stopping"]);
  EXPECT_THAT(get("/api/access", bearer(kToken)).body, HasSubstr(R"("stopping":true)"));
  const httplib::Response wrong = get("/api/access", bearer("a-token-that-is-wrong-xx"));
  EXPECT_EQ(wrong.status, 401);
  EXPECT_EQ(wrong.get_header_value("WWW-Authenticate"), "Bearer");
}

TEST_F(HttpAccessTest, BeyondLoopbackReadingNeedsTheTokenToo) {
  testing::expect_error([&] { serve({.listen = "0.0.0.0:0"}); }, "needs a token");
  serve({.listen = "0.0.0.0:0", .token = kToken});
  for (const char* path : {"/api/runs", "/metrics", "/api/watch", "/api/access"}) {
    EXPECT_EQ(get(path).status, 401) << path;
  }
  EXPECT_EQ(get("/api/runs", bearer(kToken)).status, 200);
  EXPECT_EQ(get("/metrics", bearer(kToken)).status, 200);
  EXPECT_EQ(get("/").status, 200);
  EXPECT_EQ(get("/healthz").status, 200);
}

TEST_F(HttpAccessTest, AnotherSiteThatPointsItsNameHereReadsNothing) {
  serve();
  EXPECT_EQ(get("/api/runs", {{"Host", "evil.example:7071"}}).status, 401);
  EXPECT_EQ(get("/api/runs", {{"Host", "localhost.evil.example"}}).status, 401);
  EXPECT_EQ(get("/api/runs", {{"Host", "127.evil.example"}}).status, 401);
  EXPECT_EQ(get("/api/runs", {{"Host", "localhost:7071"}}).status, 200);
  EXPECT_EQ(get("/api/runs", {{"Host", "[::1]:7071"}}).status, 200);
}

TEST_F(HttpAccessTest, OverTlsThePageIsReadByWhoTrustsItsAuthority) {
  const Certificates certificates;
  serve({.token = kToken, .tls = certificates.server()});
  EXPECT_THAT(server_->url(), StartsWith("https://127.0.0.1:"));
  httplib::SSLClient trusting("127.0.0.1", port_);
  trusting.set_ca_cert_path(certificates.file("ca.pem").c_str());
  trusting.enable_server_certificate_verification(true);
  const httplib::Result page = trusting.Get("/chart.min.js");
  ASSERT_TRUE(page) << httplib::to_string(page.error());
  EXPECT_GT(page->body.size(), 100'000);
  EXPECT_EQ(
      trusting.Post("/api/runs/nobody:stop", bearer(kToken), "{}", "application/json")->status,
      404);
  EXPECT_FALSE(httplib::SSLClient("127.0.0.1", port_).Get("/")) << "it trusts others";
  EXPECT_FALSE(client().Get("/")) << "without TLS";
}

TEST_F(HttpAccessTest, WithAnAuthorityForClientsOnlyTheirsAreServed) {
  const Certificates certificates;
  TlsFiles files = certificates.server();
  files.authority = certificates.file("ca.pem");
  serve({.token = kToken, .tls = files});
  const auto ask_with = [&](const std::string& certificate, const std::string& key) {
    httplib::SSLClient one("127.0.0.1", port_, certificate, key);
    one.enable_server_certificate_verification(false);
    const httplib::Result result = one.Get("/healthz");
    return result ? result->status : -1;
  };
  EXPECT_EQ(ask_with("", ""), -1);
  const TlsFiles known = certificates.client();
  EXPECT_EQ(ask_with(known.certificate.string(), known.key.string()), 200);
}

}  // namespace
}  // namespace convoy::dist
