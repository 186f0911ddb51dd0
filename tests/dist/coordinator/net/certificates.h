// Certificates for tests, made by deploy/certificates.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "dist/coordinator/net/endpoint.h"
#include "tests/support/temporary_directory.h"

namespace convoy::dist {

/// An authority, a server for localhost and 127.0.0.1, and the client "one".
class Certificates {
 public:
  Certificates() {
    const std::string command = std::string(CONVOY_SOURCE_DIR "/deploy/certificates ") +
                                directory_.path().string() +
                                " --server localhost 127.0.0.1 --client one > /dev/null";
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
  }
  std::filesystem::path file(const std::string& name) const { return directory_.path() / name; }
  TlsFiles server() const { return {.certificate = file("server.pem"), .key = file("server.key")}; }
  TlsFiles client() const {
    return {.certificate = file("client-one.pem"), .key = file("client-one.key")};
  }

 private:
  testing::TemporaryDirectory directory_;
};

}  // namespace convoy::dist
