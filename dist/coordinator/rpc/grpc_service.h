// convoy.v1.CoordinatorService over a Coordinator: every method, none of which blocks or throws.
// Only for dist/coordinator/rpc/grpc_*.
#pragma once

#include <grpcpp/support/server_callback.h>

#include "convoy/v1/coordinator.grpc.pb.h"
#include "dist/coordinator/coordinator.h"
#include "dist/coordinator/rpc/grpc_gate.h"
#include "dist/coordinator/rpc/grpc_stream_keeper.h"
#include "dist/coordinator/rpc/server.h"

namespace convoy::dist {

/// Reports are read as bytes: gRPC would take a broken one for the end of the stream.
class GrpcService final : public v1::CoordinatorService::WithRawCallbackMethod_ReportProgress<
                              v1::CoordinatorService::CallbackService> {
 public:
  GrpcService(Coordinator& coordinator, const Token& token, const ServerLimits& limits);

  /// Refuses new calls, and ends streams.
  void stop();

  grpc::ServerUnaryReactor* RegisterRun(grpc::CallbackServerContext* context,
                                        const v1::RegisterRunRequest* request,
                                        v1::RegisterRunResponse* response) override;
  grpc::ServerReadReactor<grpc::ByteBuffer>* ReportProgress(grpc::CallbackServerContext* context,
                                                            grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* FinishEpoch(grpc::CallbackServerContext* context,
                                        const v1::FinishEpochRequest* request,
                                        v1::FinishEpochResponse* response) override;
  grpc::ServerUnaryReactor* Heartbeat(grpc::CallbackServerContext* context,
                                      const v1::HeartbeatRequest* request,
                                      v1::HeartbeatResponse* response) override;
  grpc::ServerUnaryReactor* FinishRun(grpc::CallbackServerContext* context,
                                      const v1::FinishRunRequest* request,
                                      v1::FinishRunResponse* response) override;
  grpc::ServerUnaryReactor* GetRun(grpc::CallbackServerContext* context,
                                   const v1::GetRunRequest* request, v1::Run* response) override;
  grpc::ServerUnaryReactor* ListRuns(grpc::CallbackServerContext* context,
                                     const v1::ListRunsRequest* request,
                                     v1::ListRunsResponse* response) override;
  grpc::ServerWriteReactor<v1::WatchRunResponse>* WatchRun(
      grpc::CallbackServerContext* context, const v1::WatchRunRequest* request) override;
  grpc::ServerUnaryReactor* ListSteps(grpc::CallbackServerContext* context,
                                      const v1::ListStepsRequest* request,
                                      v1::ListStepsResponse* response) override;
  grpc::ServerUnaryReactor* ListEpochs(grpc::CallbackServerContext* context,
                                       const v1::ListEpochsRequest* request,
                                       v1::ListEpochsResponse* response) override;
  grpc::ServerUnaryReactor* ListRanks(grpc::CallbackServerContext* context,
                                      const v1::ListRanksRequest* request,
                                      v1::ListRanksResponse* response) override;
  grpc::ServerUnaryReactor* ListEvents(grpc::CallbackServerContext* context,
                                       const v1::ListEventsRequest* request,
                                       v1::ListEventsResponse* response) override;
  grpc::ServerUnaryReactor* StopRun(grpc::CallbackServerContext* context,
                                    const v1::StopRunRequest* request, v1::Run* response) override;
  grpc::ServerUnaryReactor* SetLogLevel(grpc::CallbackServerContext* context,
                                        const v1::SetLogLevelRequest* request,
                                        v1::SetLogLevelResponse* response) override;

 private:
  template <typename Request, typename Response>
  grpc::ServerUnaryReactor* tell(grpc::CallbackServerContext* context, const Request* request,
                                 Response* response,
                                 Response (Coordinator::*method)(const Request&,
                                                                 Coordinator::Done));
  template <typename Request, typename Response>
  grpc::ServerUnaryReactor* ask(grpc::CallbackServerContext* context, const Request* request,
                                Response* response,
                                Response (Coordinator::*method)(const Request&) const);

  Coordinator& coordinator_;
  const ServerLimits limits_;
  Gate gate_;
  StreamKeeper keeper_;
  std::unique_ptr<Coordinator::Subscription> subscription_;  // before keeper_ goes
};

}  // namespace convoy::dist
