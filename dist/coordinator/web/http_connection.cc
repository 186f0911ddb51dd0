#include "dist/coordinator/web/http_connection.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <utility>

#include "core/base/check.h"
#include "dist/coordinator/net/tls_pem.h"

namespace convoy::dist {
namespace {

using std::chrono::milliseconds;

/// What the kernel keeps for a peer that reads slowly.
constexpr int kSendBytes = 128 << 10;
/// How soon a wish to stop is noticed.
constexpr milliseconds kSlice{50};
/// How long, and for how much, a peer that still sends is listened to after the answer: closing
/// at once would make its kernel throw the answer away.
constexpr milliseconds kLinger{300};
constexpr std::int64_t kLingerBytes = 1 << 20;

std::string tls_error() {
  std::array<char, 256> text = {};
  ERR_error_string_n(ERR_get_error(), text.data(), text.size());
  ERR_clear_error();
  return text.data();
}

}  // namespace

void ServerTls::Free::operator()(ssl_ctx_st* context) const {
  SSL_CTX_free(context);
}

void Connection::Free::operator()(ssl_st* session) const {
  SSL_free(session);
}

ServerTls::ServerTls(const TlsFiles& files) {
  read_tls_files(files);  // says better than OpenSSL what is wrong with them
  context_.reset(SSL_CTX_new(TLS_server_method()));
  SSL_CTX* const context = context_.get();
  check(context != nullptr, "TLS cannot be set up: {}", tls_error());
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  check(SSL_CTX_use_certificate_chain_file(context, files.certificate.c_str()) == 1,
        "cannot use the certificate {}: {}", files.certificate.string(), tls_error());
  check(SSL_CTX_use_PrivateKey_file(context, files.key.c_str(), SSL_FILETYPE_PEM) == 1,
        "cannot use the key {} with the certificate {}: {}", files.key.string(),
        files.certificate.string(), tls_error());
  if (!files.authority.empty()) {
    check(SSL_CTX_load_verify_locations(context, files.authority.c_str(), nullptr) == 1,
          "cannot use the clients' authority {}: {}", files.authority.string(), tls_error());
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    // Without it a session cannot be taken up again by a client that showed its certificate.
    const std::string_view name = "convoy";
    SSL_CTX_set_session_id_context(context, reinterpret_cast<const unsigned char*>(name.data()),
                                   static_cast<unsigned>(name.size()));
  }
}

Connection::Connection(int socket, const ServerTls* tls, const Limits& limits, std::stop_token stop)
    : socket_(socket),
      limits_(limits),
      stop_(std::move(stop)),
      request_deadline_(Clock::now() + limits.request_time) {
  ::setsockopt(socket_, SOL_SOCKET, SO_SNDBUF, &kSendBytes, sizeof kSendBytes);
  if (tls != nullptr) {
    session_.reset(SSL_new(tls->context()));
    if (session_ == nullptr || SSL_set_fd(session_.get(), socket_) != 1) {
      trouble_ = Trouble::kLost;
    }
  }
}

Connection::~Connection() {
  if (secure_ && trouble_ != Trouble::kLost) {
    SSL_shutdown(session_.get());
  }
  ERR_clear_error();
  linger();
  ::close(socket_);
}

void Connection::linger() {
  ::shutdown(socket_, SHUT_WR);
  const Clock::time_point deadline = Clock::now() + kLinger;
  for (std::int64_t bytes = 0; bytes < kLingerBytes;) {
    const std::int64_t got = ::recv(socket_, buffer_.data(), buffer_.size(), 0);
    if (got > 0) {
      bytes += got;
    } else if (got == 0 || errno != EAGAIN || !wait(POLLIN, deadline)) {
      return;
    }
  }
}

bool Connection::wait(short events, Clock::time_point deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) {
      trouble_ = Trouble::kTooSlow;
      return false;
    }
    if (stop_.stop_requested()) {
      trouble_ = Trouble::kLost;
      return false;
    }
    pollfd descriptor = {.fd = socket_, .events = events, .revents = 0};
    if (::poll(&descriptor, 1, static_cast<int>(std::min(left, kSlice).count())) > 0) {
      return true;
    }
  }
}

bool Connection::wait_for_tls(int result, Clock::time_point deadline) {
  const int reason = SSL_get_error(session_.get(), result);
  if (reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE) {
    return wait(reason == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, deadline);
  }
  // The queue of errors belongs to the thread: what stays in it would be taken for the next one's.
  ERR_clear_error();
  trouble_ = Trouble::kLost;
  return false;
}

bool Connection::shake_hands() {
  if (session_ == nullptr || trouble_ != Trouble::kNone) {
    return trouble_ == Trouble::kNone;
  }
  for (;;) {
    const int result = SSL_accept(session_.get());
    if (result == 1) {
      secure_ = true;
      return true;
    }
    if (!wait_for_tls(result, request_deadline_)) {
      return false;
    }
  }
}

std::int64_t Connection::fill() {
  for (;;) {
    if (session_ != nullptr) {
      const int got = SSL_read(session_.get(), buffer_.data(), static_cast<int>(buffer_.size()));
      if (got > 0) {
        return got;
      }
      if (SSL_get_error(session_.get(), got) == SSL_ERROR_ZERO_RETURN) {
        return 0;
      }
      if (!wait_for_tls(got, request_deadline_)) {
        return -1;
      }
    } else {
      const std::int64_t got = ::recv(socket_, buffer_.data(), buffer_.size(), 0);
      if (got >= 0) {
        return got;
      }
      if (errno != EAGAIN && errno != EINTR) {
        trouble_ = Trouble::kLost;
        return -1;
      }
      if (!wait(POLLIN, request_deadline_)) {
        return -1;
      }
    }
  }
}

std::int64_t Connection::read(char* bytes, std::size_t size) {
  if (trouble_ != Trouble::kNone) {
    return -1;
  }
  // Checked for every byte handed on, not only when waiting: a peer may keep the buffer filled.
  if (received_bytes_ >= limits_.request_bytes) {
    trouble_ = Trouble::kTooLong;
    return -1;
  }
  if (begin_ == end_) {
    const std::int64_t got = fill();
    if (got <= 0) {
      return got;
    }
    begin_ = 0;
    end_ = static_cast<std::size_t>(got);
  }
  const std::size_t count = std::min(
      {size, end_ - begin_, static_cast<std::size_t>(limits_.request_bytes - received_bytes_)});
  std::copy_n(buffer_.data() + begin_, count, bytes);
  begin_ += count;
  received_bytes_ += static_cast<std::int64_t>(count);
  return static_cast<std::int64_t>(count);
}

std::int64_t Connection::give(const char* bytes, std::size_t size, Clock::time_point deadline) {
  if (session_ != nullptr) {
    const int count = static_cast<int>(std::min<std::size_t>(size, INT_MAX));
    const int given = SSL_write(session_.get(), bytes, count);
    return given > 0 ? given : wait_for_tls(given, deadline) ? 0 : -1;
  }
  const std::int64_t given = ::send(socket_, bytes, size, MSG_NOSIGNAL);
  if (given >= 0) {
    return given;
  }
  if (errno != EAGAIN && errno != EINTR) {
    trouble_ = Trouble::kLost;
    return -1;
  }
  return wait(POLLOUT, deadline) ? 0 : -1;
}

bool Connection::write(const char* bytes, std::size_t size) {
  answered_ = true;
  const Clock::time_point deadline = Clock::now() + limits_.write_time;
  while (size > 0) {
    const std::int64_t given = give(bytes, size, deadline);
    if (given < 0) {
      return false;
    }
    bytes += given;
    size -= static_cast<std::size_t>(given);
  }
  return true;
}

bool Connection::alive() const {
  if (trouble_ == Trouble::kLost || stop_.stop_requested()) {
    return false;
  }
  char byte = 0;
  const std::int64_t got = ::recv(socket_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

}  // namespace convoy::dist
