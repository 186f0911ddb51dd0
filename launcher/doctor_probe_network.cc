#include <arpa/inet.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <bit>
#include <cstdlib>

#include "core/base/file_descriptor.h"
#include "launcher/doctor_probe.h"

namespace convoy::launcher {
namespace {

constexpr int kPortsToTry = 256;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// A listening socket on that port, 0 for any, or none with errno.
FileDescriptor listen_on(std::uint32_t address, std::uint16_t port) {
  FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in name = {};
  name.sin_family = AF_INET;
  name.sin_port = htons(port);
  name.sin_addr.s_addr = htonl(address);
  const bool listens =
      socket && bind(socket.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0 &&
      listen(socket.get(), 1) == 0;
  return listens ? std::move(socket) : FileDescriptor();
}

bool loopback_works() {
  const FileDescriptor listening = listen_on(INADDR_LOOPBACK, 0);
  sockaddr_in name = {};
  socklen_t length = sizeof name;
  if (!listening ||
      getsockname(listening.get(), reinterpret_cast<sockaddr*>(&name), &length) != 0) {
    return false;
  }
  const FileDescriptor calling(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  timeval patience = {.tv_sec = 2, .tv_usec = 0};
  setsockopt(calling.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  return connect(calling.get(), reinterpret_cast<const sockaddr*>(&name), length) == 0;
}

void probe_range(NetworkFacts& facts) {
  const std::string first = environment("OMPI_MCA_btl_tcp_port_min_v4");
  if (first.empty()) {
    return;
  }
  const int begin = std::clamp(std::atoi(first.c_str()), 1, 65535);
  const std::string count = environment("OMPI_MCA_btl_tcp_port_range_v4");
  const int end =
      std::clamp(begin + (count.empty() ? 65536 : std::atoi(count.c_str())), begin, 65536);
  facts.port_range = fmt::format("ports {} to {}", begin, end - 1);
  for (int port = begin; port < std::min(end, begin + kPortsToTry); ++port) {
    facts.free_ports += listen_on(INADDR_ANY, static_cast<std::uint16_t>(port)) ? 1 : 0;
  }
}

std::uint32_t address_of(const sockaddr* address) {
  return ntohl(reinterpret_cast<const sockaddr_in*>(address)->sin_addr.s_addr);
}

std::string network_text(std::uint32_t address, std::uint32_t mask) {
  const in_addr network = {.s_addr = htonl(address & mask)};
  char text[INET_ADDRSTRLEN] = {};
  inet_ntop(AF_INET, &network, text, sizeof text);
  return fmt::format("{}/{}", text, std::popcount(mask));
}

std::vector<Interface> interfaces() {
  std::vector<Interface> result;
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0) {
    return result;
  }
  for (const ifaddrs* one = first; one != nullptr; one = one->ifa_next) {
    const bool up = (one->ifa_flags & IFF_UP) != 0 && (one->ifa_flags & IFF_LOOPBACK) == 0;
    if (up && one->ifa_addr != nullptr && one->ifa_netmask != nullptr &&
        one->ifa_addr->sa_family == AF_INET) {
      result.push_back(
          {.name = one->ifa_name,
           .network = network_text(address_of(one->ifa_addr), address_of(one->ifa_netmask))});
    }
  }
  freeifaddrs(first);
  return result;
}

}  // namespace

NetworkFacts probe_network() {
  NetworkFacts facts = {.loopback = loopback_works(),
                        .interfaces = interfaces(),
                        .chosen = environment("OMPI_MCA_btl_tcp_if_include")};
  if (!listen_on(INADDR_ANY, 0)) {
    facts.listen_refusal = system_reason();
  }
  probe_range(facts);
  return facts;
}

}  // namespace convoy::launcher
