// HttpServer over real sockets: what it serves, to whom, and what it refuses.
#include "dist/coordinator/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "tests/dist/coordinator/certificates.h"
#include "tests/dist/coordinator/made_up_run.h"
#include "tests/dist/coordinator/raw_connection.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

namespace convoy::dist {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const Token kToken = "a-token-for-the-test-only";

class HttpServerTest : public ::testing::Test {
 protected:
  void serve(HttpServer::Options options = {.token = kToken}) {
    server_.reset();
    server_ = std::make_unique<HttpServer>(coordinator_, options);
    port_ = std::stoi(server_->address().substr(server_->address().rfind(':') + 1));
  }

  httplib::Client client() const {
    httplib::Client client("127.0.0.1", port_);
    client.set_read_timeout(20s);
    return client;
  }

  httplib::Response get(const std::string& path, const httplib::Headers& headers = {}) const {
    httplib::Result result = client().Get(path, headers);
    EXPECT_TRUE(result) << path << ": " << httplib::to_string(result.error());
    return result ? *result : httplib::Response();
  }

  nlohmann::json get_json(const std::string& path) const {
    const httplib::Response response = get(path);
    EXPECT_EQ(response.status, 200) << path << ": " << response.body;
    EXPECT_EQ(response.get_header_value("Content-Type"), "application/json");
    return nlohmann::json::parse(response.body, nullptr, false);
  }

  static httplib::Headers bearer(const std::string& token) {
    return {{"Authorization", "Bearer " + token}};
  }

  testing::TemporaryDirectory directory_;
  testing::MadeUpClock clock_{std::chrono::system_clock::now()};
  Coordinator coordinator_{
      {.database = directory_.path() / "coordinator.db", .clock = [this] { return clock_.now(); }}};
  std::unique_ptr<HttpServer> server_;
  int port_ = 0;
};

TEST_F(HttpServerTest, RunsAreToldAsProtobufJson) {
  testing::MadeUpRun run(coordinator_, clock_, {.images = 1000, .batch_size = 100});
  run.take_steps(24);
  serve();
  const nlohmann::json list = get_json("/api/runs");
  ASSERT_EQ(list["runs"].size(), 1);
  const nlohmann::json one = get_json("/api/runs/mnist");
  EXPECT_EQ(list["runs"][0], one);
  EXPECT_EQ(one["state"], "RUN_STATE_RUNNING");
  EXPECT_EQ(one["step"], "24");
  EXPECT_EQ(one["epoch"], "3");
  EXPECT_EQ(one["epochSoFar"]["images"], "400");
  EXPECT_EQ(one["epochSoFar"]["correct"], std::to_string(run.so_far().correct()));
  EXPECT_EQ(one["epochSoFar"]["lossSum"].get<double>(), run.so_far().loss_sum());
}

TEST_F(HttpServerTest, HistoriesOfARunAreTold) {
  testing::MadeUpRun run(coordinator_, clock_, {.images = 1000, .batch_size = 100});
  run.take_steps(24);
  serve();
  EXPECT_EQ(get_json("/api/runs/mnist/steps")["steps"].size(), 24);
  EXPECT_EQ(get_json("/api/runs/mnist/steps?after_step=20")["steps"].size(), 4);
  EXPECT_LE(get_json("/api/runs/mnist/steps?max_points=6")["steps"].size(), 12);
  const nlohmann::json epochs = get_json("/api/runs/mnist/epochs")["epochs"];
  ASSERT_EQ(epochs.size(), 2);
  EXPECT_EQ(epochs[1]["test"]["correct"], std::to_string(run.last_epoch().test().correct()));
  const nlohmann::json ranks = get_json("/api/runs/mnist/ranks")["ranks"];
  ASSERT_EQ(ranks.size(), 4);
  EXPECT_EQ(ranks[3]["info"]["host"], "node2");
  EXPECT_GE(get_json("/api/runs/mnist/events")["events"].size(), 1);
  EXPECT_EQ(get_json("/api/events"), get_json("/api/runs/mnist/events"));
}

TEST_F(HttpServerTest, WhatIsNotThereIsNotFound) {
  serve();
  for (const char* path : {"/api/runs/nobody", "/api/runs/nobody/steps", "/api/runs/nobody/watch",
                           "/api/nothing", "/nothing", "/api/runs/"}) {
    const int status = get(path).status;
    EXPECT_TRUE(status == 404 || status == 400) << path << ": " << status;
  }
}

TEST_F(HttpServerTest, NoPathLeavesThePage) {
  serve();
  for (const char* path : {"/../../etc/passwd", "/..%2f..%2fetc/passwd", "/%2e%2e/page.css",
                           "//etc/passwd", "/page.css/../../coordinator.db", "/page.css%00.html"}) {
    const std::string answer = testing::ask(port_, fmt::format("GET {} HTTP/1.1\r\nHost: "
                                                               "localhost\r\n\r\n",
                                                               path));
    EXPECT_THAT(answer, Not(HasSubstr("root:"))) << path;
    EXPECT_THAT(answer, Not(StartsWith("HTTP/1.1 200"))) << path;
  }
}

TEST_F(HttpServerTest, ParametersThatAreNoNumbersAreRefusedByName) {
  testing::MadeUpRun run(coordinator_, clock_, {.images = 1000, .batch_size = 100});
  serve();
  for (const char* value : {"-1", "many", "1e3", "99999999999999999999", ""}) {
    const httplib::Response response =
        get(fmt::format("/api/runs/mnist/steps?max_points={}", value));
    EXPECT_EQ(response.status, 400) << value;
    EXPECT_THAT(response.body, HasSubstr("max_points")) << value;
  }
  EXPECT_EQ(get("/api/runs?page_token=nonsense").status, 400);
}

TEST_F(HttpServerTest, ThePageIsServedWithWhatKeepsItAlone) {
  serve();
  const httplib::Response page = get("/");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(client().Head("/")->status, 200);
  EXPECT_EQ(page.get_header_value("Content-Type"), "text/html; charset=utf-8");
  EXPECT_THAT(page.get_header_value("Content-Security-Policy"),
              AllOf(HasSubstr("default-src 'none'"), HasSubstr("frame-ancestors 'none'"),
                    Not(HasSubstr("unsafe"))));
  EXPECT_EQ(page.get_header_value("X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(page.get_header_value("Referrer-Policy"), "no-referrer");
  EXPECT_THAT(page.body, Not(HasSubstr("http://")));
  EXPECT_THAT(page.body, Not(HasSubstr("https://")));
  for (const char* file :
       {"/page.js", "/page.css", "/icon.svg", "/chart.min.js", "/chart-licence.txt"}) {
    EXPECT_EQ(get(file).status, 200) << file;
  }
}

TEST_F(HttpServerTest, FilesAreCompressedForWhoTakesThatAndKnownAgain) {
  serve();
  const httplib::Response plain = get("/chart.min.js");
  const httplib::Response compressed = get("/chart.min.js", {{"Accept-Encoding", "gzip, br"}});
  EXPECT_EQ(compressed.get_header_value("Content-Encoding"), "gzip");
  EXPECT_LT(std::stoul(compressed.get_header_value("Content-Length")), plain.body.size() / 2);
  EXPECT_EQ(compressed.body, plain.body) << "httplib's client decompresses";
  const httplib::Response known =
      get("/chart.min.js", {{"If-None-Match", plain.get_header_value("ETag")}});
  EXPECT_EQ(known.status, 304);
  EXPECT_TRUE(known.body.empty());
}

TEST_F(HttpServerTest, OtherMethodsAreRefused) {
  serve();
  httplib::Client other = client();
  EXPECT_EQ(other.Delete("/api/runs/mnist")->status, 405);
  EXPECT_EQ(other.Put("/api/runs", "{}", "application/json")->status, 405);
  EXPECT_EQ(other.Options("/api/runs/mnist:stop")->status, 405);
  const httplib::Result post = other.Post("/api/runs", "{}", "application/json");
  EXPECT_EQ(post->status, 405);
  EXPECT_EQ(post->get_header_value("Allow"), "GET, HEAD");
  EXPECT_EQ(get("/api/runs/mnist:stop").status, 405);
  EXPECT_THAT(testing::ask(port_, "BREW / HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 4"));
}

TEST_F(HttpServerTest, StoppingNeedsTheTokenInAHeader) {
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

TEST_F(HttpServerTest, WithoutATokenNothingCanBeStopped) {
  serve({});
  EXPECT_EQ(get("/api/runs").status, 200);
  EXPECT_EQ(client().Post("/api/runs/mnist:stop", "", "text/plain")->status, 403);
  EXPECT_EQ(client().Post("/api/runs/mnist:stop", bearer(kToken), "", "text/plain")->status, 401);
}

TEST_F(HttpServerTest, AccessIsToldWithoutATry) {
  serve();
  EXPECT_FALSE(get_json("/api/access")["stopping"]);
  EXPECT_THAT(get("/api/access", bearer(kToken)).body, HasSubstr(R"("stopping":true)"));
  const httplib::Response wrong = get("/api/access", bearer("a-token-that-is-wrong-xx"));
  EXPECT_EQ(wrong.status, 401);
  EXPECT_EQ(wrong.get_header_value("WWW-Authenticate"), "Bearer");
}

TEST_F(HttpServerTest, BeyondLoopbackReadingNeedsTheTokenToo) {
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

TEST_F(HttpServerTest, AnotherSiteThatPointsItsNameHereReadsNothing) {
  serve();
  EXPECT_EQ(get("/api/runs", {{"Host", "evil.example:7071"}}).status, 401);
  EXPECT_EQ(get("/api/runs", {{"Host", "localhost.evil.example"}}).status, 401);
  EXPECT_EQ(get("/api/runs", {{"Host", "127.evil.example"}}).status, 401);
  EXPECT_EQ(get("/api/runs", {{"Host", "localhost:7071"}}).status, 200);
  EXPECT_EQ(get("/api/runs", {{"Host", "[::1]:7071"}}).status, 200);
}

TEST_F(HttpServerTest, HealthIsFree) {
  serve();
  EXPECT_EQ(get("/healthz").body, "ok\n");
}

TEST_F(HttpServerTest, TwoServersOnOnePortDoNotBothStart) {
  serve();
  const std::string taken = server_->address();
  testing::expect_error([&] { HttpServer(coordinator_, {.listen = taken, .token = kToken}); },
                        "another coordinator");
  server_.reset();
  EXPECT_NO_THROW(HttpServer(coordinator_, {.listen = taken, .token = kToken}));
}

TEST_F(HttpServerTest, OverTlsThePageIsReadByWhoTrustsItsAuthority) {
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

TEST_F(HttpServerTest, WithAnAuthorityForClientsOnlyTheirsAreServed) {
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

TEST_F(HttpServerTest, APeerThatNeverShakesHandsIsGivenUp) {
  const Certificates certificates;
  serve({.token = kToken,
         .tls = certificates.server(),
         .limits = {.connections = 1, .request_time = 300ms}});
  testing::RawConnection silent(port_);
  silent.send("\x16\x03\x01");
  httplib::SSLClient other("127.0.0.1", port_);
  other.enable_server_certificate_verification(false);
  other.set_connection_timeout(20s);
  EXPECT_TRUE(other.Get("/healthz"));
}

TEST_F(HttpServerTest, AddressesThatAreNoneAreRefused) {
  for (const char* listen :
       {"127.0.0.1", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:70000", ":80", "127.0.0.1:-1"}) {
    EXPECT_THROW(HttpServer(coordinator_, {.listen = listen, .token = kToken}), Error) << listen;
  }
}

TEST_F(HttpServerTest, ChangesAreStreamed) {
  testing::MadeUpRun run(coordinator_, clock_, {.images = 1000, .batch_size = 100});
  run.take_steps(3);
  serve();
  testing::RawConnection watcher(port_);
  watcher.send("GET /api/runs/mnist/watch HTTP/1.1\r\nHost: localhost\r\n\r\n");
  std::string text = watcher.receive_until("\"step\":\"3\"");
  EXPECT_THAT(text, HasSubstr("text/event-stream"));
  EXPECT_THAT(text, HasSubstr("event: run\ndata: {"));
  run.take_steps(2);
  EXPECT_THAT(watcher.receive_until("\"step\":\"5\""), HasSubstr("\"step\":\"5\""));
}

TEST_F(HttpServerTest, ChangesOfAllRunsAreStreamedTheNewOnesToo) {
  serve();
  testing::RawConnection watcher(port_);
  watcher.send("GET /api/watch HTTP/1.1\r\nHost: localhost\r\n\r\n");
  watcher.receive_until("event: runs");
  testing::MadeUpRun run(coordinator_, clock_, {.run = "late", .images = 1000, .batch_size = 100});
  EXPECT_THAT(watcher.receive_until("\"run\":\"late\""), HasSubstr("\"run\":\"late\""));
}

TEST_F(HttpServerTest, StreamsAreCountedAndFreedWhenTheirViewersLeave) {
  serve({.token = kToken, .limits = {.streams = 2}});
  const std::string request = "GET /api/watch HTTP/1.1\r\nHost: localhost\r\n\r\n";
  {
    testing::RawConnection one(port_);
    testing::RawConnection two(port_);
    for (testing::RawConnection* watcher : {&one, &two}) {
      watcher->send(request);
      EXPECT_THAT(watcher->receive_until("event: runs"), HasSubstr("event: runs"));
    }
    EXPECT_EQ(get("/api/watch").status, 503);
    EXPECT_EQ(get("/api/runs").status, 200);
  }
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  std::string answer;
  do {
    testing::RawConnection later(port_);
    later.send(request);
    answer = later.receive_until("event: runs");
    std::this_thread::sleep_for(50ms);
  } while (answer.find("event: runs") == std::string::npos &&
           std::chrono::steady_clock::now() < deadline);
  EXPECT_THAT(answer, HasSubstr("event: runs"));
}

TEST_F(HttpServerTest, EndlessHeadersAreCutOff) {
  serve();
  testing::RawConnection hostile(port_);
  hostile.send("GET / HTTP/1.1\r\n");
  for (int i = 0; i < 2000 && hostile.send("X-Header: " + std::string(1000, 'x') + "\r\n"); ++i) {
  }
  const std::string answer = hostile.receive_all();
  EXPECT_TRUE(answer.empty() || answer.starts_with("HTTP/1.1 4")) << answer.substr(0, 80);
  EXPECT_THAT(testing::ask(port_, "GET /" + std::string(30'000, 'a') + " HTTP/1.1\r\n\r\n"),
              StartsWith("HTTP/1.1 4"));
  EXPECT_EQ(get("/healthz").status, 200);
}

TEST_F(HttpServerTest, BodiesThatAreTooLongOrOfNoKnownLengthAreRefusedUnread) {
  serve();
  const std::string head =
      "POST /api/runs/mnist:stop HTTP/1.1\r\nHost: localhost\r\n"
      "Authorization: Bearer " +
      kToken + "\r\n";
  for (const char* length : {"99999999", "99999999999999999999", "-1", "many", "1,1"}) {
    EXPECT_THAT(testing::ask(port_, fmt::format("{}Content-Length: {}\r\n\r\n", head, length)),
                StartsWith("HTTP/1.1 413"))
        << length;
  }
  EXPECT_THAT(testing::ask(port_, head + "Transfer-Encoding: chunked\r\n\r\n1\r\n \r\n"),
              StartsWith("HTTP/1.1 411"));
  EXPECT_THAT(testing::ask(port_, head + "\r\n"), StartsWith("HTTP/1.1 404")) << "no body is fine";
}

TEST_F(HttpServerTest, ManyRangesAreNotCarriedOut) {
  serve();
  std::string ranges = "bytes=0-0";
  while (ranges.size() < 8000) {
    ranges += ",0-0";
  }
  const httplib::Response response = get("/page.css", {{"Range", ranges}});
  EXPECT_TRUE(response.status == 200 || response.status == 416 || response.status == 400)
      << response.status;
}

TEST_F(HttpServerTest, SlowCallersAreGivenUpAndHoldNobodyUp) {
  serve({.token = kToken, .limits = {.connections = 8, .request_time = 300ms}});
  std::vector<std::unique_ptr<testing::RawConnection>> slow;
  for (int i = 0; i < 20; ++i) {
    slow.push_back(std::make_unique<testing::RawConnection>(port_));
    slow.back()->send("GET / HT");
  }
  EXPECT_EQ(get("/healthz").status, 200);
  EXPECT_THAT(slow.front()->receive_all(), StartsWith("HTTP/1.1 408"));
}

TEST_F(HttpServerTest, AViewerThatReadsNothingIsGivenUp) {
  testing::MadeUpRun run(coordinator_, clock_,
                         {.images = 1'000'000, .batch_size = 100, .ranks = 1});
  run.take_steps(3000);
  serve({.token = kToken, .limits = {.connections = 1, .write_time = 300ms}});
  testing::RawConnection lazy(port_, 4096);
  lazy.send(
      "GET /api/runs/mnist/steps?max_points=5000&page_size=5000 HTTP/1.1\r\nHost: "
      "localhost\r\n\r\n");
  EXPECT_EQ(get("/healthz").status, 200);
}

TEST_F(HttpServerTest, TooManyRequestsAreToldSo) {
  serve({.token = kToken, .limits = {.requests_per_second = 3}});
  int refused = 0;
  for (int i = 0; i < 40; ++i) {
    refused += get("/healthz").status == 429 ? 1 : 0;
  }
  EXPECT_GT(refused, 0);
}

TEST_F(HttpServerTest, EndingCutsStreamsAndSlowCallersOff) {
  serve();
  testing::RawConnection watcher(port_);
  watcher.send("GET /api/watch HTTP/1.1\r\nHost: localhost\r\n\r\n");
  watcher.receive_until("event: runs");
  testing::RawConnection slow(port_);
  slow.send("GET / HT");
  server_.reset();
  EXPECT_THAT(watcher.receive_all(), Not(HasSubstr("nothing")));
}

}  // namespace
}  // namespace convoy::dist
