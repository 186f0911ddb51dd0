// What HttpServer serves.
#include "tests/dist/coordinator/web/http_fixture.h"
#include "tests/support/expect_error.h"

namespace convoy::dist {
namespace {

using ::testing::AllOf;

class HttpServerTest : public HttpFixture {};

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
  EXPECT_THAT(ask(port_, "BREW / HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 4"));
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
  RawClient watcher;
  watcher.connect(port_);
  watcher.send("GET /api/runs/mnist/watch HTTP/1.1\r\nHost: localhost\r\n\r\n");
  std::string text = watcher.receive_until("\"step\":\"3\"");
  EXPECT_THAT(text, HasSubstr("text/event-stream"));
  EXPECT_THAT(text, HasSubstr("event: run\ndata: {"));
  run.take_steps(2);
  EXPECT_THAT(watcher.receive_until("\"step\":\"5\""), HasSubstr("\"step\":\"5\""));
}

TEST_F(HttpServerTest, ChangesOfAllRunsAreStreamedTheNewOnesToo) {
  serve();
  RawClient watcher;
  watcher.connect(port_);
  watcher.send("GET /api/watch HTTP/1.1\r\nHost: localhost\r\n\r\n");
  watcher.receive_until("event: runs");
  testing::MadeUpRun run(coordinator_, clock_, {.run = "late", .images = 1000, .batch_size = 100});
  EXPECT_THAT(watcher.receive_until("\"run\":\"late\""), HasSubstr("\"run\":\"late\""));
}

}  // namespace
}  // namespace convoy::dist
