// An HttpServer over a coordinator with made-up runs, and clients of it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "dist/coordinator/web/http_server.h"
#include "tests/dist/coordinator/net/raw_client.h"
#include "tests/dist/coordinator/web/made_up_run.h"
#include "tests/support/temporary_directory.h"

namespace convoy::dist {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

/// The answer to `request`, word for word.
inline std::string ask(int port, std::string_view request) {
  RawClient client;
  client.connect(port);
  client.send(request);
  return client.receive_all();
}

inline const Token kToken = "a-token-for-the-test-only";

class HttpFixture : public ::testing::Test {
 protected:
  void serve(HttpServer::Options options = {.token = kToken}) {
    server_.reset();
    server_ = std::make_unique<HttpServer>(coordinator_, options);
    port_ = port_of(server_->address());
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

}  // namespace convoy::dist
