#include "dist/coordinator/net/listener.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "core/base/file_descriptor.h"
#include "core/base/printable.h"
#include "dist/coordinator/base/log.h"

namespace convoy::dist {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kBacklog = 1024;
// For everything in the process that is no connection: the database, the page, training's own.
constexpr int kOtherFiles = 256;
constexpr int kMinConnections = 16;
constexpr std::chrono::milliseconds kBetweenCounts{50};
constexpr std::chrono::milliseconds kPauseWithoutFiles{100};

std::pair<std::string, std::string> host_and_port(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  std::string host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string::npos) {
    host.clear();  // IPv6 without brackets: its last part may not be a port
  }
  const std::string port = colon == std::string::npos ? "" : address.substr(colon + 1);
  const bool number = !port.empty() && port.size() <= 5 &&
                      port.find_first_not_of("0123456789") == std::string::npos;
  check(number && !host.empty() && std::stoi(port) <= 65535,
        "cannot listen on {}: that is not HOST:PORT or [V6]:PORT", printable(address));
  return {host, port};
}

// Bound and listening.
FileDescriptor listen_on(const std::string& address) {
  const auto [host, port] = host_and_port(address);
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int status = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found);
  check(status == 0, "cannot listen on {}: {}", printable(address), ::gai_strerror(status));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
  // localhost is both; IPv4 is what most people write.
  const addrinfo* chosen = found;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    if (each->ai_family == AF_INET) {
      chosen = each;
      break;
    }
  }
  FileDescriptor socket(::socket(chosen->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int on = 1;
  // Past connections that linger do not keep a restarted coordinator out; another listener does.
  const bool listening =
      socket.get() >= 0 &&
      ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
      ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0 &&
      ::bind(socket.get(), chosen->ai_addr, chosen->ai_addrlen) == 0 &&
      ::listen(socket.get(), kBacklog) == 0;
  const int error = errno;
  check(listening, "cannot listen on {}: {}{}", printable(address), std::strerror(error),
        error == EADDRINUSE ? "; is another coordinator running?" : "");
  return socket;
}

std::string with_true_port(const std::string& address, int socket) {
  sockaddr_storage name = {};
  socklen_t size = sizeof name;
  check(::getsockname(socket, reinterpret_cast<sockaddr*>(&name), &size) == 0,
        "cannot tell the port of {}: {}", printable(address), std::strerror(errno));
  const in_port_t port = name.ss_family == AF_INET6
                             ? reinterpret_cast<const sockaddr_in6&>(name).sin6_port
                             : reinterpret_cast<const sockaddr_in&>(name).sin_port;
  return fmt::format("{}:{}", address.substr(0, address.rfind(':')), ntohs(port));
}

int connections_within_file_limit(int wanted) {
  rlimit files = {};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) {
    return wanted;
  }
  const rlim_t needed = static_cast<rlim_t>(wanted) + kOtherFiles;
  if (files.rlim_cur < needed) {
    files.rlim_cur = std::min(needed, files.rlim_max);
    ::setrlimit(RLIMIT_NOFILE, &files);
    ::getrlimit(RLIMIT_NOFILE, &files);
  }
  if (files.rlim_cur >= needed) {
    return wanted;
  }
  const int fewer = std::max(kMinConnections, static_cast<int>(files.rlim_cur) - kOtherFiles);
  log(LogLevel::kWarning, "at most {} connections instead of {}: ulimit -n is {}", fewer, wanted,
      files.rlim_cur);
  return std::min(wanted, fewer);
}

// The sockets that were handed on. Their owners close them without telling; but a number that is
// closed or used anew no longer has the same inode.
class OpenSockets {
 public:
  explicit OpenSockets(int most) : most_(static_cast<std::size_t>(most)) {}

  bool have_room() {
    if (sockets_.size() >= most_ && Clock::now() - last_count_ >= kBetweenCounts) {
      last_count_ = Clock::now();
      std::erase_if(sockets_,
                    [](const Socket& socket) { return inode(socket.number) != socket.inode; });
    }
    return sockets_.size() < most_;
  }
  void add(int number) { sockets_.push_back({number, inode(number)}); }

 private:
  struct Socket {
    int number;
    ino_t inode;
  };
  static ino_t inode(int number) {
    struct stat status = {};
    return ::fstat(number, &status) == 0 ? status.st_ino : 0;
  }

  std::size_t most_;
  std::vector<Socket> sockets_;
  Clock::time_point last_count_ = {};
};

}  // namespace

class Listener::Impl {
 public:
  explicit Impl(const Options& options)
      : socket_(listen_on(options.address)),
        address_(with_true_port(options.address, socket_.get())),
        stop_(::eventfd(0, EFD_CLOEXEC)),
        open_(connections_within_file_limit(options.connections)) {
    check(stop_.get() >= 0, "cannot listen on {}: {}", address_, std::strerror(errno));
  }

  ~Impl() { stop(); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void start(OnConnection on_connection) {
    thread_ = std::thread([this, on = std::move(on_connection)] { run(on); });
  }
  void stop() {
    if (thread_.joinable()) {
      ::eventfd_write(stop_.get(), 1);
      thread_.join();
    }
    socket_.close();
  }
  const std::string& address() const { return address_; }

 private:
  void run(const OnConnection& on_connection) {
    pollfd waited[] = {{stop_.get(), POLLIN, 0}, {socket_.get(), POLLIN, 0}};
    while (true) {
      if (::poll(waited, 2, -1) < 0) {
        continue;
      }
      if (waited[0].revents != 0) {
        return;
      }
      accept_one(on_connection);
    }
  }

  void accept_one(const OnConnection& on_connection) {
    FileDescriptor accepted(
        ::accept4(socket_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (accepted.get() < 0) {
      if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
        log_from_outside(LogLevel::kWarning, "cannot accept a connection: {}",
                         std::strerror(errno));
        std::this_thread::sleep_for(kPauseWithoutFiles);
      }
      return;
    }
    if (!open_.have_room()) {
      log_from_outside(LogLevel::kWarning, "a connection was closed: there are too many");
      return;
    }
    open_.add(accepted.get());
    on_connection(accepted.release());
  }

  FileDescriptor socket_;
  std::string address_;
  FileDescriptor stop_;
  OpenSockets open_;
  std::thread thread_;
};

Listener::Listener(const Options& options) : impl_(std::make_unique<Impl>(options)) {}
Listener::~Listener() = default;

void Listener::start(OnConnection on_connection) {
  impl_->start(std::move(on_connection));
}
void Listener::stop() {
  impl_->stop();
}
const std::string& Listener::address() const {
  return impl_->address();
}

}  // namespace convoy::dist
