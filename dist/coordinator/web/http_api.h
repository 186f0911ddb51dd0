// What the coordinator answers over HTTP, without a network:
//
//   GET  /                              the page, and its files
//   GET  /healthz                       200 if questions are answered
//   GET  /metrics                       for Prometheus
//   GET  /api/access                    {"reading": true, "stopping": whether with this token}
//   GET  /api/runs                      ListRuns: page_size, page_token
//   GET  /api/runs/RUN                  GetRun
//   GET  /api/runs/RUN/steps            ListSteps: max_points (500), after_step, page_size,
//   page_token GET  /api/runs/RUN/epochs           ListEpochs: page_size, page_token GET
//   /api/runs/RUN/ranks            ListRanks: likewise GET  /api/runs/RUN/events ListEvents:
//   likewise GET  /api/events                    ListEvents, of all runs GET  /api/watch,
//   /api/runs/RUN/watch  text/event-stream, see live_feed.h POST /api/runs/RUN:stop StopRun; body:
//   {"reason": "..."} or nothing
//
// Messages are those of coordinator.proto as JSON, see json.h. A refusal is
// {"code": 404, "status": "NOT_FOUND", "message": "..."}.
//
// Access: `Authorization: Bearer TOKEN`, never a cookie or part of a URL; so no other site can act
// through a visitor's browser. On loopback reading is free, but only under a name of the loopback,
// so that no other site can read by pointing its name there. The page's files and /healthz are
// always free; they hold nothing.
#pragma once

#include <string>
#include <string_view>

#include "dist/coordinator/base/rate_limit.h"
#include "dist/coordinator/coordinator.h"
#include "dist/coordinator/net/endpoint.h"
#include "dist/coordinator/web/http_answer.h"

namespace convoy::dist {

/// Thread safe.
class HttpApi {
 public:
  struct Options {
    Token token = {};
    bool reading_is_free = false;
    double requests_per_second = 200;
  };

  HttpApi(Coordinator& coordinator, Options options);

  /// Whether `answer` wants the body of such a request.
  static bool takes_body(std::string_view method, std::string_view path);
  HttpAnswer answer(const HttpRequest& request);

 private:
  HttpAnswer route(const HttpRequest& request);
  HttpAnswer serve_run(const HttpRequest& request, const std::string& run, std::string_view what);
  HttpAnswer stop(const HttpRequest& request, const std::string& run);
  bool has_token(const HttpRequest& request) const;
  void check_reader(const HttpRequest& request) const;

  Coordinator& coordinator_;
  const Options options_;
  RateLimit rate_;
};

}  // namespace convoy::dist
