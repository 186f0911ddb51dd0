#include "dist/coordinator/net/listener.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>
#include <vector>

#include "tests/dist/coordinator/net/raw_client.h"
#include "tests/support/expect_error.h"

namespace convoy::dist {
namespace {

// Keeps the sockets that a listener hands out.
class Taken {
 public:
  ~Taken() { close_all(); }
  void add(int socket) {
    const std::lock_guard lock(mutex_);
    sockets_.push_back(socket);
  }
  std::size_t size() {
    const std::lock_guard lock(mutex_);
    return sockets_.size();
  }
  void close_all() {
    const std::lock_guard lock(mutex_);
    for (const int socket : sockets_) {
      ::close(socket);
    }
    sockets_.clear();
  }

 private:
  std::mutex mutex_;
  std::vector<int> sockets_;
};

TEST(ListenerTest, ConnectionsBeyondTheLimitAreClosedUntilOthersAre) {
  Taken taken;
  Listener listener({.address = "127.0.0.1:0", .connections = 3});
  listener.start([&](int socket) { taken.add(socket); });
  const int port = port_of(listener.address());
  std::vector<RawClient> clients(10);
  for (RawClient& client : clients) {
    client.connect(port);
  }
  int closed = 0;
  for (std::size_t i = 3; i < clients.size(); ++i) {
    closed += clients[i].wait_until_closed() ? 1 : 0;
  }
  EXPECT_EQ(closed, 7);
  EXPECT_EQ(taken.size(), 3U);
  taken.close_all();
  while (taken.size() == 0) {  // it counts anew a little later
    RawClient().connect(port);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

TEST(ListenerTest, TakenPortsAndNonsenseAreRefused) {
  const Listener listener({.address = "127.0.0.1:0"});
  const auto refused = [](const std::string& address, const std::string& why) {
    testing::expect_error([&] { const Listener other({.address = address}); }, why);
  };
  refused(listener.address(), "Address already in use; is another coordinator running?");
  for (const char* nonsense : {"", ":", "127.0.0.1", "127.0.0.1:", ":7070", "127.0.0.1:http",
                               "127.0.0.1:65536", "127.0.0.1:-1", "::1:7070", "::1"}) {
    refused(nonsense, "that is not HOST:PORT");
  }
  refused("256.0.0.1:0", "cannot listen on");
}

TEST(ListenerTest, APortIsFreeAtOnceAfterwards) {
  std::string address;
  {
    Taken taken;
    Listener listener({.address = "127.0.0.1:0"});
    address = listener.address();
    listener.start([&](int socket) { taken.add(socket); });
    RawClient client;
    client.connect(port_of(address));
    while (taken.size() == 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    taken.close_all();  // closed by us first: the connection lingers in TIME_WAIT
  }
  EXPECT_EQ(Listener({.address = address}).address(), address);
}

TEST(ListenerTest, BothFamiliesAreTaken) {
  EXPECT_TRUE(Listener({.address = "localhost:0"}).address().starts_with("localhost:"));
  if (::access("/proc/net/if_inet6", R_OK) != 0) {
    GTEST_SKIP() << "no IPv6 here";
  }
  EXPECT_TRUE(Listener({.address = "[::1]:0"}).address().starts_with("[::1]:"));
}

}  // namespace
}  // namespace convoy::dist
