// CoordinatorClient: blocking calls with deadlines over one channel.
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <mutex>
#include <set>
#include <thread>

#include "convoy/v1/coordinator.grpc.pb.h"
#include "core/base/printable.h"
#include "dist/coordinator/net/tls_pem.h"
#include "dist/coordinator/rpc/client.h"
#include "dist/coordinator/rpc/grpc_log.h"
#include "dist/coordinator/rpc/grpc_status.h"

namespace convoy::dist {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// A page of runs can be larger than gRPC's default of 4 MiB.
constexpr int kMaxAnswerBytes = 64 << 20;
// So that a coordinator that comes back is found within two seconds.
constexpr milliseconds kFirstBackOff{100};
constexpr milliseconds kMaxBackOff{1000};
constexpr milliseconds kConnectTimeout{1500};
// The server takes more than one a second for a flood.
constexpr milliseconds kMinKeepalive{1000};
constexpr milliseconds kMaxKeepalive{10'000};
constexpr milliseconds kWatchRetry{100};

int count(milliseconds time) {
  return static_cast<int>(time.count());
}

std::shared_ptr<grpc::ChannelCredentials> credentials(const Endpoint& endpoint) {
  if (!endpoint.tls) {
    return grpc::InsecureChannelCredentials();
  }
  const TlsPem pem = read_tls_files(endpoint.tls_files);
  return grpc::SslCredentials({.pem_root_certs = pem.authority,
                               .pem_private_key = pem.key,
                               .pem_cert_chain = pem.certificate});
}

grpc::ChannelArguments arguments(milliseconds timeout) {
  const milliseconds keepalive = std::clamp(timeout, kMinKeepalive, kMaxKeepalive);
  grpc::ChannelArguments result;
  result.SetMaxReceiveMessageSize(kMaxAnswerBytes);
  result.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, count(kFirstBackOff));
  result.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, count(kMaxBackOff));
  result.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, count(kConnectTimeout));
  result.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, count(keepalive));
  result.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, count(keepalive));
  result.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);  // any number
  // A proxy for the web has no business here, and clients none with each other's connections.
  result.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  result.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return result;
}

}  // namespace

class CoordinatorClient::Impl {
 public:
  using Stub = v1::CoordinatorService::Stub;

  explicit Impl(const Options& options) : options_(options) {
    take_over_grpc_log();
    channel_ = grpc::CreateCustomChannel(options.endpoint.address, credentials(options.endpoint),
                                         arguments(options.timeout));
    stub_ = v1::CoordinatorService::NewStub(channel_);
  }

  template <typename Request, typename Response>
  Response call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                const Request& request) {
    Call call(*this);
    call.context.set_deadline(std::chrono::system_clock::now() + options_.timeout);
    Response response;
    settle((stub_.get()->*method)(&call.context, request, &response));
    return response;
  }

  v1::ReportProgressResponse report_progress(std::span<const v1::ReportProgressRequest> reports) {
    Call call(*this);
    call.context.set_deadline(std::chrono::system_clock::now() + options_.timeout);
    v1::ReportProgressResponse response;
    const auto stream = stub_->ReportProgress(&call.context, &response);
    for (const v1::ReportProgressRequest& report : reports) {
      if (!stream->Write(report)) {
        break;  // Finish tells why
      }
    }
    stream->WritesDone();
    settle(stream->Finish());
    return response;
  }

  void watch_run(const v1::WatchRunRequest& request,
                 const std::function<bool(const v1::Run&)>& on_run) {
    bool heard = false;
    steady_clock::time_point last_word = steady_clock::now();
    while (true) {
      Call call(*this);
      const auto stream = stub_->WatchRun(&call.context, request);
      v1::WatchRunResponse response;
      while (stream->Read(&response)) {
        heard = true;
        if (!on_run(response.run())) {
          call.context.TryCancel();
          while (stream->Read(&response)) {
          }
          stream->Finish();
          return;
        }
        last_word = steady_clock::now();
      }
      const grpc::Status status = stream->Finish();
      if (status.ok()) {
        return;
      }
      // The coordinator may be on its way back; one that was never there is not waited for.
      const bool wait = heard && status.error_code() == grpc::StatusCode::UNAVAILABLE &&
                        steady_clock::now() - last_word < options_.timeout;
      if (!wait || is_cancelled()) {
        settle(status);
      }
      std::this_thread::sleep_for(kWatchRetry);
    }
  }

  void cancel() {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    for (grpc::ClientContext* context : under_way_) {
      context->TryCancel();
    }
  }

 private:
  // One that cancel() can reach.
  struct Call {
    explicit Call(Impl& client) : owner(client) {
      const Token& token = owner.options_.endpoint.token;
      if (!token.empty()) {
        context.AddMetadata("authorization", "Bearer " + token);
      }
      const std::lock_guard lock(owner.mutex_);
      if (owner.cancelled_) {
        context.TryCancel();
      }
      owner.under_way_.insert(&context);
    }
    ~Call() {
      const std::lock_guard lock(owner.mutex_);
      owner.under_way_.erase(&context);
    }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

    Impl& owner;
    grpc::ClientContext context;
  };

  bool is_cancelled() {
    const std::lock_guard lock(mutex_);
    return cancelled_;
  }

  void settle(const grpc::Status& status) const {
    if (!status.ok()) {
      throw to_refusal(status, options_.endpoint.address);
    }
  }

  const Options options_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<Stub> stub_;
  std::mutex mutex_;
  std::set<grpc::ClientContext*> under_way_;
  bool cancelled_ = false;
};

CoordinatorClient::CoordinatorClient(const Options& options)
    : impl_(std::make_unique<Impl>(options)) {}
CoordinatorClient::~CoordinatorClient() = default;

v1::RegisterRunResponse CoordinatorClient::register_run(const v1::RegisterRunRequest& request) {
  return impl_->call(&Impl::Stub::RegisterRun, request);
}
v1::ReportProgressResponse CoordinatorClient::report_progress(
    std::span<const v1::ReportProgressRequest> reports) {
  return impl_->report_progress(reports);
}
v1::FinishEpochResponse CoordinatorClient::finish_epoch(const v1::FinishEpochRequest& request) {
  return impl_->call(&Impl::Stub::FinishEpoch, request);
}
v1::HeartbeatResponse CoordinatorClient::heartbeat(const v1::HeartbeatRequest& request) {
  return impl_->call(&Impl::Stub::Heartbeat, request);
}
v1::FinishRunResponse CoordinatorClient::finish_run(const v1::FinishRunRequest& request) {
  return impl_->call(&Impl::Stub::FinishRun, request);
}
v1::Run CoordinatorClient::get_run(const v1::GetRunRequest& request) {
  return impl_->call(&Impl::Stub::GetRun, request);
}
v1::ListRunsResponse CoordinatorClient::list_runs(const v1::ListRunsRequest& request) {
  return impl_->call(&Impl::Stub::ListRuns, request);
}
v1::ListStepsResponse CoordinatorClient::list_steps(const v1::ListStepsRequest& request) {
  return impl_->call(&Impl::Stub::ListSteps, request);
}
v1::ListEpochsResponse CoordinatorClient::list_epochs(const v1::ListEpochsRequest& request) {
  return impl_->call(&Impl::Stub::ListEpochs, request);
}
v1::ListRanksResponse CoordinatorClient::list_ranks(const v1::ListRanksRequest& request) {
  return impl_->call(&Impl::Stub::ListRanks, request);
}
v1::ListEventsResponse CoordinatorClient::list_events(const v1::ListEventsRequest& request) {
  return impl_->call(&Impl::Stub::ListEvents, request);
}
v1::Run CoordinatorClient::stop_run(const v1::StopRunRequest& request) {
  return impl_->call(&Impl::Stub::StopRun, request);
}
v1::SetLogLevelResponse CoordinatorClient::set_log_level(const v1::SetLogLevelRequest& request) {
  return impl_->call(&Impl::Stub::SetLogLevel, request);
}
void CoordinatorClient::watch_run(const v1::WatchRunRequest& request,
                                  const std::function<bool(const v1::Run&)>& on_run) {
  impl_->watch_run(request, on_run);
}
void CoordinatorClient::cancel() {
  impl_->cancel();
}

}  // namespace convoy::dist
