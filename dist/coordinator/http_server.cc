#include "dist/coordinator/http_server.h"

#include <httplib.h>

#include <atomic>
#include <charconv>
#include <stop_token>
#include <thread>

#include "dist/coordinator/connection.h"
#include "dist/coordinator/http_api.h"
#include "dist/coordinator/live_feed.h"
#include "dist/coordinator/worker_pool.h"

namespace convoy::dist {
namespace {

/// A reason to stop, in JSON.
constexpr std::int64_t kMaxBodyBytes = 8 << 10;

struct Address {
  std::string host;
  int port = 0;
};

Address parse_address(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  check(colon != std::string::npos && colon > 0,
        "cannot serve the web page on '{}': an address is HOST:PORT, as in 127.0.0.1:7071", text);
  Address address = {.host = text.substr(0, colon)};
  if (address.host.starts_with('[') && address.host.ends_with(']')) {
    address.host = address.host.substr(1, address.host.size() - 2);
  }
  const char* const end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data() + colon + 1, end, address.port);
  check(failure == std::errc() && stop == end && address.port >= 0 && address.port <= 65535,
        "cannot serve the web page on '{}': the port must be a number from 0 to 65535", text);
  return address;
}

/// A Connection in httplib's eyes.
class HttpStream : public httplib::Stream {
 public:
  explicit HttpStream(Connection& connection) : connection_(connection) {}
  bool is_readable() const override { return connection_.alive(); }
  bool is_writable() const override { return connection_.alive(); }
  ssize_t read(char* bytes, size_t size) override { return connection_.read(bytes, size); }
  ssize_t write(const char* bytes, size_t size) override {
    return connection_.write(bytes, size) ? static_cast<ssize_t>(size) : -1;
  }
  void get_remote_ip_and_port(std::string& /*ip*/, int& /*port*/) const override {}
  void get_local_ip_and_port(std::string& /*ip*/, int& /*port*/) const override {}
  socket_t socket() const override { return connection_.socket(); }

 private:
  Connection& connection_;
};

class PoolTasks : public httplib::TaskQueue {
 public:
  explicit PoolTasks(int max_threads) : pool_(max_threads) {}
  void enqueue(std::function<void()> task) override { pool_.run(std::move(task)); }
  void shutdown() override { pool_.finish(); }

 private:
  WorkerPool pool_;
};

/// httplib parses and writes HTTP; what a peer may cost is bounded by Connection, since httplib
/// 0.11 itself reads header lines without end and waits anew for every byte.
class BoundedServer : public httplib::Server {
 public:
  BoundedServer(const HttpLimits& limits, const std::optional<TlsFiles>& tls, std::stop_token stop)
      : limits_{.request_bytes = limits.request_bytes,
                .request_time = limits.request_time,
                .write_time = limits.write_time},
        stop_(std::move(stop)) {
    if (tls) {
      tls_.emplace(*tls);
    }
    new_task_queue = [threads = limits.connections] { return new PoolTasks(threads); };
    set_payload_max_length(kMaxBodyBytes);
    // Not httplib's SO_REUSEPORT, which lets two servers share a port; this one only passes over
    // the dead connections of a server that was here before.
    set_socket_options([](socket_t socket) {
      const int yes = 1;
      ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
  }

 private:
  bool process_and_close_socket(socket_t socket) override {
    Connection connection(socket, tls_ ? &*tls_ : nullptr, limits_, stop_);
    if (!connection.shake_hands()) {
      return false;
    }
    HttpStream stream(connection);
    bool closed = false;
    // One request a connection: a browser that keeps one for later would hold a thread.
    const bool done = process_request(stream, true, closed,
                                      [](httplib::Request& request) { request.ranges.clear(); });
    if (!connection.answered() && connection.trouble() != Connection::Trouble::kLost) {
      refuse(connection);
    }
    return done;
  }

  static void refuse(Connection& connection) {
    const char* const status = connection.trouble() == Connection::Trouble::kTooLong
                                   ? "431 Request Header Fields Too Large"
                               : connection.trouble() == Connection::Trouble::kTooSlow
                                   ? "408 Request Timeout"
                                   : "400 Bad Request";
    const std::string answer =
        fmt::format("HTTP/1.1 {}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", status);
    connection.write(answer.data(), answer.size());
  }

  const Connection::Limits limits_;
  const std::stop_token stop_;
  std::optional<ServerTls> tls_;
};

HttpRequest request_of(const httplib::Request& from) {
  HttpRequest request = {.method = from.method, .path = from.path};
  request.query.insert(from.params.begin(), from.params.end());
  request.host = from.get_header_value("Host");
  request.authorization = from.get_header_value("Authorization");
  request.if_none_match = from.get_header_value("If-None-Match");
  request.takes_gzip = from.get_header_value("Accept-Encoding").find("gzip") != std::string::npos;
  return request;
}

/// With its length known, so that httplib does not compress it: brotli at full effort would cost
/// training more than it saves.
void set_body(httplib::Response& response, const HttpAnswer& answer) {
  const auto keep = std::make_shared<const std::string>(answer.body);
  const std::string_view bytes = answer.asset.empty() ? std::string_view(*keep) : answer.asset;
  if (bytes.empty()) {
    return;
  }
  response.set_content_provider(
      bytes.size(), answer.type,
      [keep, bytes](std::size_t offset, std::size_t length, httplib::DataSink& sink) {
        return sink.write(bytes.data() + offset, length);
      });
}

}  // namespace

class HttpServer::Impl {
 public:
  Impl(Coordinator& coordinator, const Options& options)
      : coordinator_(coordinator),
        limits_(options.limits),
        api_(coordinator, {.token = options.token,
                           .reading_is_free = is_loopback(options.listen),
                           .requests_per_second = options.limits.requests_per_second}),
        server_(options.limits, options.tls, stop_.get_token()),
        secure_(options.tls.has_value()) {
    check(is_loopback(options.listen) || !options.token.empty(),
          "the web page would be seen beyond this machine on {}, and needs a token for that: give "
          "one, or listen on 127.0.0.1",
          options.listen);
    const Address address = parse_address(options.listen);
    const int port = address.port == 0 ? server_.bind_to_any_port(address.host)
                     : server_.bind_to_port(address.host, address.port) ? address.port
                                                                        : -1;
    check(port > 0,
          "cannot serve the web page on {}: the address is taken, perhaps by another coordinator, "
          "or is not this machine's",
          options.listen);
    address_ = fmt::format("{}:{}", options.listen.substr(0, options.listen.rfind(':')), port);
    set_up();
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    // A stop() before it runs would be forgotten.
    while (!server_.is_running()) {
      std::this_thread::yield();
    }
  }

  ~Impl() {
    stop_.request_stop();
    server_.stop();
    thread_.join();
  }

  const std::string& address() const { return address_; }
  bool secure() const { return secure_; }

 private:
  void set_up() {
    server_.set_default_headers({
        {"Content-Security-Policy",
         "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src "
         "'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
        {"X-Content-Type-Options", "nosniff"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
    });
    server_.set_pre_routing_handler([this](const auto& request, auto& response) {
      if (HttpApi::takes_body(request.method, request.path) && will_be_read(request, response)) {
        return httplib::Server::HandlerResponse::Unhandled;  // until the body has been read
      }
      if (response.status == -1) {
        answer(request_of(request), response);
      }
      return httplib::Server::HandlerResponse::Handled;
    });
    server_.Post("[^]*", [this](const httplib::Request& from, httplib::Response& response) {
      HttpRequest request = request_of(from);
      request.body = from.body;
      answer(request, response);
    });
  }

  /// Whether the body can be left to httplib: it reads one that is too long to its end before it
  /// says so, and one of unknown length until the peer hangs up. Sets a status for one that cannot.
  bool will_be_read(const httplib::Request& request, httplib::Response& response) const {
    if (request.has_header("Transfer-Encoding")) {
      response.status = 411;
      return false;
    }
    if (!request.has_header("Content-Length")) {
      return false;
    }
    const std::string text = request.get_header_value("Content-Length");
    std::int64_t length = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, failure] = std::from_chars(text.data(), end, length);
    if (failure != std::errc() || stop != end || length < 0 || length > kMaxBodyBytes) {
      response.status = 413;
      return false;
    }
    return true;
  }

  void answer(const HttpRequest& request, httplib::Response& response) {
    HttpAnswer answer = api_.answer(request);
    if (answer.watch) {
      if (request.method == "HEAD") {
        answer.watch.reset();
      } else if (++streams_ > limits_.streams) {
        --streams_;
        answer = {.status = 503,
                  .body = R"({"code": 503, "status": "UNAVAILABLE", "message": )"
                          R"("too many are watching; try later"})"};
        answer.headers.emplace_back("Retry-After", "5");
      }
    }
    response.status = answer.status;
    response.set_header("Cache-Control", answer.asset.empty() ? "no-store" : "no-cache");
    for (const auto& [name, value] : answer.headers) {
      response.set_header(name, value);
    }
    if (answer.watch) {
      stream(*answer.watch, response);
    } else {
      set_body(response, answer);
    }
  }

  /// The stream has been counted.
  void stream(const std::string& run, httplib::Response& response) {
    std::shared_ptr<LiveFeed> feed;
    try {
      feed = std::make_shared<LiveFeed>(coordinator_, run, stop_.get_token());
    } catch (...) {
      --streams_;
      throw;
    }
    response.set_chunked_content_provider(
        "text/event-stream",
        [feed](std::size_t /*offset*/, httplib::DataSink& sink) {
          const std::optional<std::string> text = feed->next();
          // httplib itself finds out that a viewer has left only when there is something to write.
          return text && sink.is_writable() &&
                 (text->empty() || sink.write(text->data(), text->size()));
        },
        [this](bool /*success*/) { --streams_; });
  }

  Coordinator& coordinator_;
  const HttpLimits limits_;
  std::stop_source stop_;
  HttpApi api_;
  BoundedServer server_;
  const bool secure_;
  std::string address_;
  std::atomic<int> streams_ = 0;
  std::thread thread_;
};

HttpServer::HttpServer(Coordinator& coordinator, const Options& options)
    : impl_(std::make_unique<Impl>(coordinator, options)) {}

HttpServer::~HttpServer() = default;

const std::string& HttpServer::address() const {
  return impl_->address();
}

std::string HttpServer::url() const {
  return fmt::format("{}://{}/", impl_->secure() ? "https" : "http", impl_->address());
}

}  // namespace convoy::dist
