#include "dist/coordinator/web/http_api.h"

#include <algorithm>
#include <charconv>
#include <exception>
#include <future>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/base/printable.h"
#include "dist/coordinator/web/json.h"
#include "dist/coordinator/web/prometheus.h"

namespace convoy::dist {
namespace {

using Kind = Refusal::Kind;

constexpr std::string_view kRuns = "/api/runs/";
constexpr std::string_view kStop = ":stop";
constexpr int kMaxPoints = 5000;
constexpr int kDefaultPoints = 500;
constexpr std::chrono::seconds kDiskPatience{10};

HttpAnswer not_found() {
  return http_error(404, "NOT_FOUND", "nothing is here; the page is at /");
}

HttpAnswer json(const google::protobuf::Message& message) {
  return {.body = to_json(message)};
}

bool reads(const HttpRequest& request) {
  return request.method == "GET" || request.method == "HEAD";
}

template <typename Int>
Int number(const HttpRequest& request, const std::string& name, Int otherwise) {
  const auto entry = request.query.find(name);
  if (entry == request.query.end()) {
    return otherwise;
  }
  const std::string& text = entry->second;
  Int value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size() || value < 0) {
    throw Refusal(Kind::kInvalidArgument, fmt::format("{} must be a whole number from 0, and is {}",
                                                      name, printable(text)));
  }
  return value;
}

template <typename ListRequest>
ListRequest list_request(const HttpRequest& request) {
  ListRequest list;
  list.set_page_size(number<std::int32_t>(request, "page_size", 0));
  if (const auto token = request.query.find("page_token"); token != request.query.end()) {
    list.set_page_token(token->second);
  }
  return list;
}

template <typename ListRequest>
ListRequest list_request(const HttpRequest& request, const std::string& run) {
  auto list = list_request<ListRequest>(request);
  list.set_run(run);
  return list;
}

}  // namespace

HttpApi::HttpApi(Coordinator& coordinator, Options options)
    : coordinator_(coordinator),
      options_(std::move(options)),
      rate_(options_.requests_per_second, options_.requests_per_second) {}

bool HttpApi::takes_body(std::string_view method, std::string_view path) {
  return method == "POST" && path.starts_with(kRuns) && path.ends_with(kStop);
}

bool HttpApi::has_token(const HttpRequest& request) const {
  constexpr std::string_view kScheme = "Bearer ";
  if (request.authorization.empty()) {
    return false;
  }
  const std::string_view given = request.authorization;
  if (options_.token.empty() || !given.starts_with(kScheme) ||
      !equal_tokens(given.substr(kScheme.size()), options_.token)) {
    throw Refusal(Kind::kUnauthenticated, "this is not the coordinator's token");
  }
  return true;
}

void HttpApi::check_reader(const HttpRequest& request) const {
  if (has_token(request)) {
    return;
  }
  if (!options_.reading_is_free) {
    throw Refusal(Kind::kUnauthenticated,
                  "the coordinator's token is needed: Authorization: Bearer TOKEN");
  }
  if (!is_loopback(request.host)) {
    throw Refusal(Kind::kUnauthenticated,
                  fmt::format("without a token this is read as http://localhost:PORT only, and was "
                              "asked for as {}",
                              printable(request.host)));
  }
}

HttpAnswer HttpApi::answer(const HttpRequest& request) {
  try {
    if (!rate_.take(std::chrono::steady_clock::now())) {
      return http_error(429, "RESOURCE_EXHAUSTED", "too many requests; try later");
    }
    if (!reads(request) && !takes_body(request.method, request.path)) {
      HttpAnswer refused = http_error(405, "INVALID_ARGUMENT", "this can only be read");
      const bool stops = takes_body("POST", request.path);
      refused.headers.emplace_back("Allow", stops ? "POST" : "GET, HEAD");
      return refused;
    }
    if (std::optional<HttpAnswer> file = page_file(request)) {
      return *std::move(file);
    }
    return route(request);
  } catch (const Refusal& refusal) {
    return http_error(refusal);
  } catch (const std::exception& exception) {
    return http_error(500, "INTERNAL", exception.what());
  }
}

HttpAnswer HttpApi::route(const HttpRequest& request) {
  const std::string_view path = request.path;
  if (path == "/healthz") {
    v1::ListRunsRequest one;
    one.set_page_size(1);
    coordinator_.list_runs(one);
    return {.type = "text/plain; charset=utf-8", .body = "ok\n"};
  }
  if (path != "/metrics" && !path.starts_with("/api/")) {
    return not_found();
  }
  check_reader(request);
  if (path == "/metrics") {
    return {.type = "text/plain; version=0.0.4; charset=utf-8",
            .body = prometheus_text(coordinator_)};
  }
  if (path == "/api/access") {
    const nlohmann::ordered_json access = {{"reading", true}, {"stopping", has_token(request)}};
    return {.body = access.dump()};
  }
  if (path == "/api/runs") {
    return json(coordinator_.list_runs(list_request<v1::ListRunsRequest>(request)));
  }
  if (path == "/api/events") {
    return json(coordinator_.list_events(list_request<v1::ListEventsRequest>(request)));
  }
  if (path == "/api/watch") {
    return {.type = "text/event-stream", .watch = std::string()};
  }
  if (!path.starts_with(kRuns)) {
    return not_found();
  }
  const std::string_view rest = path.substr(kRuns.size());
  if (rest.ends_with(kStop)) {
    const std::string run(rest.substr(0, rest.size() - kStop.size()));
    if (reads(request)) {
      HttpAnswer refused = http_error(405, "INVALID_ARGUMENT", "to stop a run, POST");
      refused.headers.emplace_back("Allow", "POST");
      return refused;
    }
    return stop(request, run);
  }
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  return serve_run(request, std::string(rest.substr(0, slash)), rest.substr(slash));
}

HttpAnswer HttpApi::serve_run(const HttpRequest& request, const std::string& run,
                              std::string_view what) {
  if (what == "/steps") {
    auto list = list_request<v1::ListStepsRequest>(request, run);
    list.set_after_step(number<std::int64_t>(request, "after_step", 0));
    list.set_max_points(
        std::min(kMaxPoints, number<std::int32_t>(request, "max_points", kDefaultPoints)));
    return json(coordinator_.list_steps(list));
  }
  if (what == "/epochs") {
    return json(coordinator_.list_epochs(list_request<v1::ListEpochsRequest>(request, run)));
  }
  if (what == "/ranks") {
    return json(coordinator_.list_ranks(list_request<v1::ListRanksRequest>(request, run)));
  }
  if (what == "/events") {
    return json(coordinator_.list_events(list_request<v1::ListEventsRequest>(request, run)));
  }
  if (what.empty() || what == "/watch") {
    v1::GetRunRequest one;
    one.set_run(run);
    const v1::Run found = coordinator_.get_run(one);
    if (what.empty()) {
      return json(found);
    }
    return {.type = "text/event-stream", .watch = run};
  }
  return not_found();
}

HttpAnswer HttpApi::stop(const HttpRequest& request, const std::string& run) {
  if (options_.token.empty()) {
    return http_error(
        403, "PERMISSION_DENIED",
        "this coordinator has no token, and so can only be read; say: convoy stop " + run);
  }
  if (!has_token(request)) {
    throw Refusal(Kind::kUnauthenticated,
                  "stopping a run needs the coordinator's token: Authorization: Bearer TOKEN");
  }
  v1::StopRunRequest wish;
  if (!request.body.empty()) {
    from_json(request.body, wish);
  }
  if (!wish.run().empty() && wish.run() != run) {
    throw Refusal(Kind::kInvalidArgument, "the run of the body is not that of the URL");
  }
  wish.set_run(run);
  if (wish.reason().empty()) {
    wish.set_reason("asked for over HTTP");
  }
  // Shared: if the disk is slower than our patience, it is done after we have left.
  auto done = std::make_shared<std::promise<void>>();
  std::future<void> on_disk = done->get_future();
  const v1::Run stopping = coordinator_.stop_run(wish, [done](std::exception_ptr failure) {
    failure ? done->set_exception(failure) : done->set_value();
  });
  if (on_disk.wait_for(kDiskPatience) != std::future_status::ready) {
    throw Refusal(Kind::kUnavailable, "the disk does not take the wish to stop; try later");
  }
  on_disk.get();
  return json(stopping);
}

}  // namespace convoy::dist
