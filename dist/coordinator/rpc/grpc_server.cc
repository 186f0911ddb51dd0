// CoordinatorServer: the port, what callers may cost, and the services on it.
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <mutex>

#include "core/base/check.h"
#include "core/base/printable.h"
#include "dist/coordinator/base/log.h"
#include "dist/coordinator/net/listener.h"
#include "dist/coordinator/net/tls_pem.h"
#include "dist/coordinator/rpc/grpc_log.h"
#include "dist/coordinator/rpc/grpc_service.h"
#include "dist/coordinator/rpc/server.h"

namespace convoy::dist {
namespace {

using std::chrono::milliseconds;

// Reflection is the one service that holds a thread for each call.
constexpr int kMaxThreads = 16;
constexpr int kMaxMetadataBytes = 8 << 10;
constexpr std::chrono::minutes kMaxConnectionIdle{10};
constexpr std::chrono::hours kMaxConnectionAge{24};
constexpr std::chrono::minutes kAgeGrace{1};
constexpr std::chrono::seconds kKeepaliveTime{30};
constexpr std::chrono::seconds kKeepaliveTimeout{10};
constexpr milliseconds kMinPingInterval{900};
constexpr int kMaxPingStrikes = 2;
constexpr milliseconds kGraceAtEnd{1000};

// For all servers of the process; must come before the first is built.
void prepare_process() {
  static std::once_flag once;
  std::call_once(once, [] {
    take_over_grpc_log();
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  });
}

std::shared_ptr<grpc::ServerCredentials> credentials(const std::optional<TlsFiles>& files) {
  if (!files) {
    return grpc::InsecureServerCredentials();
  }
  check(!files->certificate.empty(), "TLS on a server takes a certificate and its private key");
  const TlsPem pem = read_tls_files(*files);
  grpc::SslServerCredentialsOptions options(
      pem.authority.empty() ? GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE
                            : GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  options.pem_key_cert_pairs.push_back({pem.key, pem.certificate});
  options.pem_root_certs = pem.authority;
  return grpc::SslServerCredentials(options);
}

int count(std::chrono::milliseconds time) {
  return static_cast<int>(time.count());
}

void limit(grpc::ServerBuilder& builder, const ServerLimits& limits) {
  grpc::ResourceQuota quota("coordinator");
  quota.Resize(static_cast<std::size_t>(limits.memory_bytes));
  quota.SetMaxThreads(kMaxThreads);
  builder.SetResourceQuota(quota);
  builder.SetMaxReceiveMessageSize(static_cast<int>(limits.message_bytes));
  builder.SetSyncServerOption(grpc::ServerBuilder::NUM_CQS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::MIN_POLLERS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::MAX_POLLERS, 1);
  const std::pair<const char*, int> arguments[] = {
      {GRPC_ARG_MAX_CONCURRENT_STREAMS, limits.streams_per_connection},
      {GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataBytes},
      {GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, count(limits.handshake)},
      {GRPC_ARG_MAX_CONNECTION_IDLE_MS, count(kMaxConnectionIdle)},
      {GRPC_ARG_MAX_CONNECTION_AGE_MS, count(kMaxConnectionAge)},
      {GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, count(kAgeGrace)},
      // A peer that is gone without a word is noticed,
      {GRPC_ARG_KEEPALIVE_TIME_MS, count(kKeepaliveTime)},
      {GRPC_ARG_KEEPALIVE_TIMEOUT_MS, count(kKeepaliveTimeout)},
      // and clients may ask likewise, but not flood.
      {GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1},
      {GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, count(kMinPingInterval)},
      {GRPC_ARG_HTTP2_MAX_PING_STRIKES, kMaxPingStrikes},
  };
  for (const auto& [name, value] : arguments) {
    builder.AddChannelArgument(name, value);
  }
}

}  // namespace

class CoordinatorServer::Impl {
 public:
  Impl(Coordinator& coordinator, const Options& options)
      : credentials_(credentials(options.tls)),
        listener_({.address = options.listen, .connections = options.limits.connections}),
        service_(coordinator, options.token, options.limits) {
    prepare_process();
    grpc::ServerBuilder builder;
    limit(builder, options.limits);
    builder.RegisterService(&service_);
    acceptor_ = builder.experimental().AddExternalConnectionAcceptor(
        grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD, credentials_);
    server_ = builder.BuildAndStart();
    check(server_ != nullptr, "the coordinator cannot serve on {}", listener_.address());
    server_->GetHealthCheckService()->SetServingStatus(v1::CoordinatorService::service_full_name(),
                                                       true);
    listener_.start([this](int socket) {
      grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
      connection.fd = socket;
      acceptor_->HandleNewConnection(&connection);
    });
  }

  ~Impl() {
    listener_.stop();  // before what it hands connections to ends
    server_->GetHealthCheckService()->Shutdown();
    service_.stop();
    server_->Shutdown(std::chrono::system_clock::now() + kGraceAtEnd);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  const std::string& address() const { return listener_.address(); }

 private:
  std::shared_ptr<grpc::ServerCredentials> credentials_;
  Listener listener_;
  GrpcService service_;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor_;
  std::unique_ptr<grpc::Server> server_;
};

CoordinatorServer::CoordinatorServer(Coordinator& coordinator, const Options& options) {
  check(!options.token.empty() || is_loopback(options.listen),
        "a coordinator on {} is within reach of other machines, and so needs a token",
        printable(options.listen));
  impl_ = std::make_unique<Impl>(coordinator, options);
}

CoordinatorServer::~CoordinatorServer() = default;

const std::string& CoordinatorServer::address() const {
  return impl_->address();
}

}  // namespace convoy::dist
