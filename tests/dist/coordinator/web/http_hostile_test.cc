// What callers who mean no good may cost an HttpServer.
#include <thread>

#include "tests/dist/coordinator/net/certificates.h"
#include "tests/dist/coordinator/web/http_fixture.h"

namespace convoy::dist {
namespace {

class HttpHostileTest : public HttpFixture {};

TEST_F(HttpHostileTest, NoPathLeavesThePage) {
  serve();
  for (const char* path : {"/../../etc/passwd", "/..%2f..%2fetc/passwd", "/%2e%2e/page.css",
                           "//etc/passwd", "/page.css/../../coordinator.db", "/page.css%00.html"}) {
    const std::string answer = ask(port_, fmt::format("GET {} HTTP/1.1\r\nHost: "
                                                      "localhost\r\n\r\n",
                                                      path));
    EXPECT_THAT(answer, Not(HasSubstr("root:"))) << path;
    EXPECT_THAT(answer, Not(StartsWith("HTTP/1.1 200"))) << path;
  }
}

TEST_F(HttpHostileTest, APeerThatNeverShakesHandsIsGivenUp) {
  const Certificates certificates;
  serve({.token = kToken,
         .tls = certificates.server(),
         .limits = {.connections = 1, .request_time = 300ms}});
  RawClient silent;
  silent.connect(port_);
  silent.send("\x16\x03\x01");
  httplib::SSLClient other("127.0.0.1", port_);
  other.enable_server_certificate_verification(false);
  other.set_connection_timeout(20s);
  EXPECT_TRUE(other.Get("/healthz"));
}

TEST_F(HttpHostileTest, StreamsAreCountedAndFreedWhenTheirViewersLeave) {
  serve({.token = kToken, .limits = {.streams = 2}});
  const std::string request = "GET /api/watch HTTP/1.1\r\nHost: localhost\r\n\r\n";
  {
    RawClient one;
    one.connect(port_);
    RawClient two;
    two.connect(port_);
    for (RawClient* watcher : {&one, &two}) {
      watcher->send(request);
      EXPECT_THAT(watcher->receive_until("event: runs"), HasSubstr("event: runs"));
    }
    EXPECT_EQ(get("/api/watch").status, 503);
    EXPECT_EQ(get("/api/runs").status, 200);
  }
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  std::string answer;
  do {
    RawClient later;
    later.connect(port_);
    later.send(request);
    answer = later.receive_until("event: runs");
    std::this_thread::sleep_for(50ms);
  } while (answer.find("event: runs") == std::string::npos &&
           std::chrono::steady_clock::now() < deadline);
  EXPECT_THAT(answer, HasSubstr("event: runs"));
}

TEST_F(HttpHostileTest, HeadersThatAreTooLongAreRefused) {
  serve();
  std::string request = "GET / HTTP/1.1\r\n";
  while (request.size() < 30'000) {
    request += "X-Header: " + std::string(1000, 'x') + "\r\n";
  }
  EXPECT_THAT(ask(port_, request), StartsWith("HTTP/1.1 431"));
  EXPECT_THAT(ask(port_, "GET /" + std::string(30'000, 'a')), StartsWith("HTTP/1.1 431"));
  EXPECT_THAT(ask(port_, "GET /" + std::string(9'000, 'a') + " HTTP/1.1\r\n\r\n"),
              StartsWith("HTTP/1.1 414"));
}

TEST_F(HttpHostileTest, EndlessHeadersAreCutOff) {
  serve();
  RawClient hostile;
  hostile.connect(port_);
  hostile.send("GET / HTTP/1.1\r\n");
  const std::string line = "X-Header: " + std::string(1000, 'x') + "\r\n";
  int lines = 0;
  while (lines < 50'000 && hostile.send(line)) {
    ++lines;
  }
  EXPECT_LT(lines, 50'000) << "all was taken";
  EXPECT_EQ(get("/healthz").status, 200);
}

TEST_F(HttpHostileTest, BodiesThatAreTooLongOrOfNoKnownLengthAreRefusedUnread) {
  serve();
  const std::string head =
      "POST /api/runs/mnist:stop HTTP/1.1\r\nHost: localhost\r\n"
      "Authorization: Bearer " +
      kToken + "\r\n";
  for (const char* length : {"99999999", "99999999999999999999", "-1", "many", "1,1"}) {
    EXPECT_THAT(ask(port_, fmt::format("{}Content-Length: {}\r\n\r\n", head, length)),
                StartsWith("HTTP/1.1 413"))
        << length;
  }
  EXPECT_THAT(ask(port_, head + "Transfer-Encoding: chunked\r\n\r\n1\r\n \r\n"),
              StartsWith("HTTP/1.1 411"));
  EXPECT_THAT(ask(port_, head + "\r\n"), StartsWith("HTTP/1.1 404")) << "no body is fine";
}

TEST_F(HttpHostileTest, RangesAreNotCarriedOut) {
  serve();
  EXPECT_EQ(get("/page.css", {{"Range", "bytes=0-0"}}).status, 200);
  std::string ranges = "bytes=0-0";
  while (ranges.size() < 8000) {
    ranges += ",0-0";
  }
  const httplib::Response response = get("/page.css", {{"Range", ranges}});
  EXPECT_TRUE(response.status == 200 || response.status == 416 || response.status == 400)
      << response.status;
}

TEST_F(HttpHostileTest, SlowCallersAreGivenUpAndHoldNobodyUp) {
  serve({.token = kToken, .limits = {.connections = 8, .request_time = 300ms}});
  std::vector<std::unique_ptr<RawClient>> slow;
  for (int i = 0; i < 20; ++i) {
    slow.push_back(std::make_unique<RawClient>());
    slow.back()->connect(port_);
    slow.back()->send("GET / HT");
  }
  EXPECT_EQ(get("/healthz").status, 200);
  EXPECT_THAT(slow.front()->receive_all(), StartsWith("HTTP/1.1 408"));
  EXPECT_THAT(ask(port_, "GET / HTTP/1.1\r\nHost: local"), StartsWith("HTTP/1.1 408"));
  EXPECT_THAT(ask(port_, "POST /api/runs/mnist:stop HTTP/1.1\r\nContent-Length: 10\r\n\r\n{"),
              StartsWith("HTTP/1.1 408"));
}

TEST_F(HttpHostileTest, AViewerThatReadsNothingIsGivenUp) {
  testing::MadeUpRun run(coordinator_, clock_,
                         {.images = 1'000'000, .batch_size = 100, .ranks = 1});
  run.take_steps(3000);
  serve({.token = kToken, .limits = {.connections = 1, .write_time = 300ms}});
  RawClient lazy;
  lazy.connect(port_, 4096);
  lazy.send(
      "GET /api/runs/mnist/steps?max_points=5000&page_size=5000 HTTP/1.1\r\nHost: "
      "localhost\r\n\r\n");
  EXPECT_EQ(get("/healthz").status, 200);
}

TEST_F(HttpHostileTest, TooManyRequestsAreToldSo) {
  serve({.token = kToken, .limits = {.requests_per_second = 3}});
  int refused = 0;
  for (int i = 0; i < 40; ++i) {
    refused += get("/healthz").status == 429 ? 1 : 0;
  }
  EXPECT_GT(refused, 0);
}

TEST_F(HttpHostileTest, EndingCutsStreamsAndSlowCallersOff) {
  serve();
  RawClient watcher;
  watcher.connect(port_);
  watcher.send("GET /api/watch HTTP/1.1\r\nHost: localhost\r\n\r\n");
  watcher.receive_until("event: runs");
  RawClient slow;
  slow.connect(port_);
  slow.send("GET / HT");
  server_.reset();
  EXPECT_THAT(watcher.receive_all(), Not(HasSubstr("nothing")));
}

}  // namespace
}  // namespace convoy::dist
