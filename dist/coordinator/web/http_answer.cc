#include "dist/coordinator/web/http_answer.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "dist/coordinator/web/page_assets.h"

namespace convoy::dist {

HttpAnswer http_error(int status, std::string_view name, std::string_view message) {
  const nlohmann::ordered_json json = {{"code", status}, {"status", name}, {"message", message}};
  HttpAnswer answer = {.status = status};
  answer.body = json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  if (status == 401) {
    answer.headers.emplace_back("WWW-Authenticate", "Bearer");
  } else if (status == 429 || status == 503) {
    answer.headers.emplace_back("Retry-After", "2");
  }
  return answer;
}

HttpAnswer http_error(const Refusal& refusal) {
  using Kind = Refusal::Kind;
  switch (refusal.kind()) {
    case Kind::kInvalidArgument:
      return http_error(400, "INVALID_ARGUMENT", refusal.what());
    case Kind::kNotFound:
      return http_error(404, "NOT_FOUND", refusal.what());
    case Kind::kFailedPrecondition:
      return http_error(409, "FAILED_PRECONDITION", refusal.what());
    case Kind::kAborted:
      return http_error(409, "ABORTED", refusal.what());
    case Kind::kResourceExhausted:
      return http_error(429, "RESOURCE_EXHAUSTED", refusal.what());
    case Kind::kUnauthenticated:
      return http_error(401, "UNAUTHENTICATED", refusal.what());
    case Kind::kUnavailable:
      return http_error(503, "UNAVAILABLE", refusal.what());
  }
  return http_error(500, "INTERNAL", refusal.what());
}

std::optional<HttpAnswer> page_file(const HttpRequest& request) {
  const auto assets = page_assets();
  const auto found = std::ranges::find(assets, request.path, &PageAsset::path);
  if (found == assets.end()) {
    return std::nullopt;
  }
  const PageAsset& asset = *found;
  HttpAnswer answer = {.type = std::string(asset.type)};
  answer.headers = {{"ETag", std::string(asset.etag)}, {"Vary", "Accept-Encoding"}};
  if (request.if_none_match == asset.etag) {
    answer.status = 304;
  } else if (request.takes_gzip) {
    answer.asset = asset.gzip;
    answer.headers.emplace_back("Content-Encoding", "gzip");
  } else {
    answer.asset = asset.text;
  }
  return answer;
}

}  // namespace convoy::dist
