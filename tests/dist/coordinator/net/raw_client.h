// A TCP client that knows nothing of HTTP, for tests of what strangers do.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <string>
#include <string_view>

namespace convoy::dist {

inline int port_of(const std::string& address) {
  return std::stoi(address.substr(address.rfind(':') + 1));
}

class RawClient {
 public:
  RawClient() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  ~RawClient() { ::close(socket_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  /// With `receive_bytes`, the kernel takes only about so much unread.
  void connect(int port, int receive_bytes = 0) {
    if (receive_bytes > 0) {
      ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
    }
    const timeval patience = {.tv_sec = 60, .tv_usec = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    ASSERT_TRUE(try_connect(port));
  }
  /// False if nobody listens there.
  bool try_connect(int port) {
    sockaddr_in name = {};
    name.sin_family = AF_INET;
    name.sin_port = htons(static_cast<in_port_t>(port));
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return ::connect(socket_, reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0;
  }
  /// False if the other side does not take it.
  bool send(std::string_view bytes) {
    return ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(bytes.size());
  }
  /// What comes until `end` has, or until the other side closes.
  std::string receive_until(std::string_view end) {
    std::string received;
    std::array<char, 4096> bytes = {};
    while (end.empty() || received.find(end) == std::string::npos) {
      const ssize_t got = ::recv(socket_, bytes.data(), bytes.size(), 0);
      if (got <= 0) {
        break;
      }
      received.append(bytes.data(), static_cast<std::size_t>(got));
    }
    return received;
  }
  std::string receive_all() { return receive_until(""); }
  /// Reads on until the other side closes; false if it does not within a minute.
  bool wait_until_closed() {
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (std::chrono::steady_clock::now() < end) {
      pollfd waited = {socket_, POLLIN, 0};
      if (::poll(&waited, 1, 1000) == 1) {
        std::array<char, 4096> bytes = {};
        if (::recv(socket_, bytes.data(), bytes.size(), 0) <= 0) {
          return true;
        }
      }
    }
    return false;
  }

 private:
  int socket_;
};

}  // namespace convoy::dist
