// A TCP connection to this machine that says what no HTTP library would.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace convoy::testing {

/// Waits 20 s at most for anything.
class RawConnection {
 public:
  /// With `receive_bytes`, its kernel takes about so much without being read.
  explicit RawConnection(int port, int receive_bytes = 0)
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receive_bytes > 0) {
      ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
    }
    const timeval patience = {.tv_sec = 20, .tv_usec = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  ~RawConnection() { ::close(socket_); }
  RawConnection(const RawConnection&) = delete;
  RawConnection& operator=(const RawConnection&) = delete;

  /// False if the other side does not take it.
  bool send(std::string_view text) {
    return ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(text.size());
  }

  /// What came until `text` did, or until the end.
  std::string receive_until(std::string_view text) {
    std::string received;
    std::array<char, 4096> buffer = {};
    while (received.find(text) == std::string::npos) {
      const ssize_t got = ::recv(socket_, buffer.data(), buffer.size(), 0);
      if (got <= 0) {
        break;
      }
      received.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return received;
  }

  std::string receive_all() { return receive_until(std::string_view("\0never", 6)); }

 private:
  int socket_;
};

/// The answer to `request`, word for word.
inline std::string ask(int port, std::string_view request) {
  RawConnection connection(port);
  connection.send(request);
  return connection.receive_all();
}

}  // namespace convoy::testing
