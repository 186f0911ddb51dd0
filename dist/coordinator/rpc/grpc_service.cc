#include "dist/coordinator/rpc/grpc_service.h"

#include <atomic>
#include <utility>

#include "core/base/printable.h"
#include "dist/coordinator/base/log.h"
#include "dist/coordinator/rpc/grpc_report_stream.h"
#include "dist/coordinator/rpc/grpc_status.h"
#include "dist/coordinator/rpc/grpc_watcher.h"

namespace convoy::dist {
namespace {

void note_refusal(const grpc::ServerContextBase& context, const grpc::Status& status) {
  log_from_outside(LogLevel::kDebug, "a call from {} was refused with code {}",
                   printable(context.peer()), static_cast<int>(status.error_code()));
}

// A call that is answered when what it told is on disk. Deletes itself.
class Telling final : public grpc::ServerUnaryReactor {
 public:
  // One of two has to happen yet.
  void arrive() {
    if (left_.fetch_sub(1) == 1) {
      Finish(std::move(status_));
    }
  }
  Coordinator::Done done() {
    return [this](const std::exception_ptr& error) {
      if (error) {
        status_ = to_status(error);
      }
      arrive();
    };
  }
  void OnDone() override { delete this; }

 private:
  std::atomic<int> left_{2};  // the answer is written; the disk has it
  grpc::Status status_;
};

// Streams that are refused at once. Deletes itself.
template <typename Reactor>
class Refused final : public Reactor {
 public:
  explicit Refused(grpc::Status status) { this->Finish(std::move(status)); }
  void OnDone() override { delete this; }
};

v1::LogLevel message_of(LogLevel level) {
  switch (level) {
    case LogLevel::kError:
      return v1::LOG_LEVEL_ERROR;
    case LogLevel::kWarning:
      return v1::LOG_LEVEL_WARNING;
    case LogLevel::kInfo:
      return v1::LOG_LEVEL_INFO;
    case LogLevel::kDebug:
      break;
  }
  return v1::LOG_LEVEL_DEBUG;
}

LogLevel level_of(v1::LogLevel level) {
  switch (level) {
    case v1::LOG_LEVEL_ERROR:
      return LogLevel::kError;
    case v1::LOG_LEVEL_WARNING:
      return LogLevel::kWarning;
    case v1::LOG_LEVEL_INFO:
      return LogLevel::kInfo;
    case v1::LOG_LEVEL_DEBUG:
      return LogLevel::kDebug;
    default:
      throw Refusal(Refusal::Kind::kInvalidArgument,
                    fmt::format("level is {}: it is ERROR, WARNING, INFO or DEBUG, 1 to 4",
                                static_cast<int>(level)));
  }
}

}  // namespace

GrpcService::GrpcService(Coordinator& coordinator, const Token& token, const ServerLimits& limits)
    : coordinator_(coordinator),
      limits_(limits),
      gate_(token, limits.calls_per_second),
      subscription_(
          coordinator.subscribe([this](const std::string& run) { keeper_.run_changed(run); })) {}

void GrpcService::stop() {
  gate_.close();
  keeper_.stop_all();
}

template <typename Request, typename Response>
grpc::ServerUnaryReactor* GrpcService::tell(grpc::CallbackServerContext* context,
                                            const Request* request, Response* response,
                                            Response (Coordinator::*method)(const Request&,
                                                                            Coordinator::Done)) {
  grpc::Status status = gate_.admit(*context);
  if (status.ok()) {
    auto* telling = new Telling;
    try {
      *response = (coordinator_.*method)(*request, telling->done());
      telling->arrive();
    } catch (...) {
      status = to_status(std::current_exception());
      note_refusal(*context, status);
      telling->Finish(std::move(status));
    }
    return telling;
  }
  grpc::ServerUnaryReactor* refused = context->DefaultReactor();
  refused->Finish(std::move(status));
  return refused;
}

template <typename Request, typename Response>
grpc::ServerUnaryReactor* GrpcService::ask(grpc::CallbackServerContext* context,
                                           const Request* request, Response* response,
                                           Response (Coordinator::*method)(const Request&) const) {
  grpc::Status status = gate_.admit(*context);
  if (status.ok()) {
    try {
      *response = (coordinator_.*method)(*request);
    } catch (...) {
      status = to_status(std::current_exception());
      note_refusal(*context, status);
    }
  }
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(std::move(status));
  return reactor;
}

grpc::ServerReadReactor<grpc::ByteBuffer>* GrpcService::ReportProgress(
    grpc::CallbackServerContext* context, grpc::ByteBuffer* response) {
  using Reactor = grpc::ServerReadReactor<grpc::ByteBuffer>;
  if (grpc::Status status = gate_.admit(*context); !status.ok()) {
    return new Refused<Reactor>(std::move(status));
  }
  const ReportStream::Parts parts{
      .coordinator = coordinator_, .gate = gate_, .keeper = keeper_, .idle = limits_.stream_idle};
  const auto stream = std::make_shared<ReportStream>(parts, response);
  // As many as connections: a worker has one.
  if (!keeper_.add_report(stream, static_cast<std::size_t>(limits_.connections))) {
    return new Refused<Reactor>(
        {grpc::StatusCode::RESOURCE_EXHAUSTED, "too many report streams are open"});
  }
  stream->start();
  return stream.get();
}

grpc::ServerWriteReactor<v1::WatchRunResponse>* GrpcService::WatchRun(
    grpc::CallbackServerContext* context, const v1::WatchRunRequest* request) {
  using Reactor = grpc::ServerWriteReactor<v1::WatchRunResponse>;
  grpc::Status status = gate_.admit(*context);
  if (!status.ok()) {
    return new Refused<Reactor>(std::move(status));
  }
  try {
    const Watcher::Parts parts{.coordinator = coordinator_, .keeper = keeper_};
    const auto watcher = std::make_shared<Watcher>(parts, *request);
    watcher->start();
    if (keeper_.add_watcher(watcher, static_cast<std::size_t>(limits_.watchers))) {
      return watcher.get();
    }
    watcher->abandon();
    status = {grpc::StatusCode::RESOURCE_EXHAUSTED, "too many watch already"};
  } catch (...) {
    status = to_status(std::current_exception());
    note_refusal(*context, status);
  }
  return new Refused<Reactor>(std::move(status));
}

grpc::ServerUnaryReactor* GrpcService::RegisterRun(grpc::CallbackServerContext* context,
                                                   const v1::RegisterRunRequest* request,
                                                   v1::RegisterRunResponse* response) {
  return tell(context, request, response, &Coordinator::register_run);
}

grpc::ServerUnaryReactor* GrpcService::FinishEpoch(grpc::CallbackServerContext* context,
                                                   const v1::FinishEpochRequest* request,
                                                   v1::FinishEpochResponse* response) {
  return tell(context, request, response, &Coordinator::finish_epoch);
}

grpc::ServerUnaryReactor* GrpcService::Heartbeat(grpc::CallbackServerContext* context,
                                                 const v1::HeartbeatRequest* request,
                                                 v1::HeartbeatResponse* response) {
  return tell(context, request, response, &Coordinator::heartbeat);
}

grpc::ServerUnaryReactor* GrpcService::FinishRun(grpc::CallbackServerContext* context,
                                                 const v1::FinishRunRequest* request,
                                                 v1::FinishRunResponse* response) {
  return tell(context, request, response, &Coordinator::finish_run);
}

grpc::ServerUnaryReactor* GrpcService::StopRun(grpc::CallbackServerContext* context,
                                               const v1::StopRunRequest* request,
                                               v1::Run* response) {
  return tell(context, request, response, &Coordinator::stop_run);
}

grpc::ServerUnaryReactor* GrpcService::GetRun(grpc::CallbackServerContext* context,
                                              const v1::GetRunRequest* request, v1::Run* response) {
  return ask(context, request, response, &Coordinator::get_run);
}

grpc::ServerUnaryReactor* GrpcService::ListRuns(grpc::CallbackServerContext* context,
                                                const v1::ListRunsRequest* request,
                                                v1::ListRunsResponse* response) {
  return ask(context, request, response, &Coordinator::list_runs);
}

grpc::ServerUnaryReactor* GrpcService::ListSteps(grpc::CallbackServerContext* context,
                                                 const v1::ListStepsRequest* request,
                                                 v1::ListStepsResponse* response) {
  return ask(context, request, response, &Coordinator::list_steps);
}

grpc::ServerUnaryReactor* GrpcService::ListEpochs(grpc::CallbackServerContext* context,
                                                  const v1::ListEpochsRequest* request,
                                                  v1::ListEpochsResponse* response) {
  return ask(context, request, response, &Coordinator::list_epochs);
}

grpc::ServerUnaryReactor* GrpcService::ListRanks(grpc::CallbackServerContext* context,
                                                 const v1::ListRanksRequest* request,
                                                 v1::ListRanksResponse* response) {
  return ask(context, request, response, &Coordinator::list_ranks);
}

grpc::ServerUnaryReactor* GrpcService::ListEvents(grpc::CallbackServerContext* context,
                                                  const v1::ListEventsRequest* request,
                                                  v1::ListEventsResponse* response) {
  return ask(context, request, response, &Coordinator::list_events);
}

grpc::ServerUnaryReactor* GrpcService::SetLogLevel(grpc::CallbackServerContext* context,
                                                   const v1::SetLogLevelRequest* request,
                                                   v1::SetLogLevelResponse* response) {
  grpc::Status status = gate_.admit(*context);
  if (status.ok()) {
    try {
      const LogLevel level = level_of(request->level());
      response->set_previous(message_of(log_level()));
      set_log_level(level);
    } catch (...) {
      status = to_status(std::current_exception());
    }
  }
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(std::move(status));
  return reactor;
}

}  // namespace convoy::dist
