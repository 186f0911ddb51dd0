// A request and an answer of HTTP, as values; and those answers that need no coordinator: refusals,
// and the page's files.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dist/coordinator/base/refusal.h"

namespace convoy::dist {

struct HttpRequest {
  std::string method = {};
  std::string path = {};  ///< decoded, without the query
  std::map<std::string, std::string> query = {};
  std::string host = {};  ///< headers, empty if not sent
  std::string authorization = {};
  std::string if_none_match = {};
  bool takes_gzip = false;
  std::string body = {};
};

struct HttpAnswer {
  int status = 200;
  std::string type = "application/json";
  std::string body = {};
  std::string_view asset = {};  ///< instead of body
  std::vector<std::pair<std::string, std::string>> headers = {};
  /// Instead of a body: the changes of this run, or of all if it is empty.
  std::optional<std::string> watch = {};
};

/// {"code": status, "status": name, "message": message}, with the headers that belong to the
/// status.
HttpAnswer http_error(int status, std::string_view name, std::string_view message);
HttpAnswer http_error(const Refusal& refusal);

/// The file of the page that has this path; nullopt if none has.
std::optional<HttpAnswer> page_file(const HttpRequest& request);

}  // namespace convoy::dist
