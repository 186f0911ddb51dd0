#include "dist/coordinator/web/http_server.h"

#include <httplib.h>

#include <atomic>
#include <charconv>
#include <stop_token>

#include "dist/coordinator/net/listener.h"
#include "dist/coordinator/web/http_api.h"
#include "dist/coordinator/web/http_connection.h"
#include "dist/coordinator/web/live_feed.h"
#include "dist/coordinator/web/worker_pool.h"

namespace convoy::dist {
namespace {

/// A reason to stop, in JSON.
constexpr std::int64_t kMaxBodyBytes = 8 << 10;
/// Connections that wait for a thread; beyond, they are closed at once.
constexpr int kWaiting = 64;

/// A Connection in httplib's eyes.
class HttpStream : public httplib::Stream {
 public:
  explicit HttpStream(Connection& connection) : connection_(connection) {}
  bool is_readable() const override { return connection_.alive(); }
  bool is_writable() const override { return connection_.alive(); }
  ssize_t read(char* bytes, size_t size) override { return connection_.read(bytes, size); }
  ssize_t write(const char* bytes, size_t size) override {
    // What httplib says of a request that was cut short is less true than what refuse() does.
    if (!connection_.answered() && connection_.trouble() != Connection::Trouble::kNone) {
      return -1;
    }
    return connection_.write(bytes, size) ? static_cast<ssize_t>(size) : -1;
  }
  void get_remote_ip_and_port(std::string& /*ip*/, int& /*port*/) const override {}
  void get_local_ip_and_port(std::string& /*ip*/, int& /*port*/) const override {}
  socket_t socket() const override { return connection_.socket(); }

 private:
  Connection& connection_;
};

/// httplib parses and writes HTTP, on connections that come from elsewhere. What a peer may cost is
/// bounded by Connection, since httplib 0.11 itself reads header lines without end and waits anew
/// for every byte.
class Http : public httplib::Server {
 public:
  Http() {
    // It has no socket of its own, and takes that for the wish to end all streams.
    svr_sock_ = 0;
    set_payload_max_length(kMaxBodyBytes);
  }

  void serve(Connection& connection) {
    if (!connection.shake_hands()) {
      return;
    }
    HttpStream stream(connection);
    bool closed = false;
    // One request a connection: a browser that keeps one for later would hold a thread.
    process_request(stream, true, closed,
                    [](httplib::Request& request) { request.ranges.clear(); });
    if (!connection.answered() && connection.trouble() != Connection::Trouble::kLost) {
      refuse(connection);
    }
  }

 private:
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
};

/// The address, if it may be used: checked before anything is bound.
const std::string& checked_address(const HttpServer::Options& options) {
  check(is_loopback(options.listen) || !options.token.empty(),
        "the web page would be seen beyond this machine on {}, and needs a token for that: give "
        "one, or listen on 127.0.0.1",
        options.listen);
  return options.listen;
}

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
        pool_(options.limits.connections),
        listener_({.address = checked_address(options),
                   .connections = options.limits.connections + kWaiting}) {
    if (options.tls) {
      tls_.emplace(*options.tls);
    }
    set_up();
    const Connection::Limits limits = {.request_bytes = limits_.request_bytes,
                                       .request_time = limits_.request_time,
                                       .write_time = limits_.write_time};
    listener_.start([this, limits](int socket) {
      pool_.run([this, limits, socket] {
        Connection connection(socket, tls_ ? &*tls_ : nullptr, limits, stop_.get_token());
        http_.serve(connection);
      });
    });
  }

  /// Before the members go: they wait for what is under way.
  ~Impl() { stop_.request_stop(); }

  const std::string& address() const { return listener_.address(); }
  bool secure() const { return tls_.has_value(); }

 private:
  void set_up() {
    http_.set_default_headers({
        {"Content-Security-Policy",
         "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src "
         "'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
        {"X-Content-Type-Options", "nosniff"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
    });
    http_.set_pre_routing_handler([this](const auto& request, auto& response) {
      if (HttpApi::takes_body(request.method, request.path) && will_be_read(request, response)) {
        return httplib::Server::HandlerResponse::Unhandled;  // until the body has been read
      }
      if (response.status == -1) {
        answer(request_of(request), response);
      }
      return httplib::Server::HandlerResponse::Handled;
    });
    http_.Post("[^]*", [this](const httplib::Request& from, httplib::Response& response) {
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
        answer = http_error(503, "UNAVAILABLE", "too many are watching; try later");
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
  std::optional<ServerTls> tls_;
  HttpApi api_;
  Http http_;
  std::atomic<int> streams_ = 0;
  std::stop_source stop_;
  WorkerPool pool_;
  Listener listener_;  // last, for it hands on to the others
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
