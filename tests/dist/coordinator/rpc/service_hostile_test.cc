// What strangers, broken clients and slow ones can do to the service: little.
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <list>
#include <memory>
#include <thread>
#include <vector>

#include "convoy/v1/coordinator.grpc.pb.h"
#include "tests/dist/coordinator/net/raw_client.h"
#include "tests/dist/coordinator/rpc/service_fixture.h"

namespace convoy::dist {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Kind = Refusal::Kind;

const std::vector<std::string> kMethods = {
    "RegisterRun", "ReportProgress", "FinishEpoch", "Heartbeat",  "FinishRun",
    "GetRun",      "ListRuns",       "WatchRun",    "ListSteps",  "ListEpochs",
    "ListRanks",   "ListEvents",     "StopRun",     "SetLogLevel"};

class ServiceHostileTest : public ServiceFixture {
 protected:
  std::shared_ptr<grpc::Channel> channel() const {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetMaxSendMessageSize(-1);
    return grpc::CreateCustomChannel(server_->address(), grpc::InsecureChannelCredentials(),
                                     arguments);
  }
  static void authorize(grpc::ClientContext& context) {
    context.AddMetadata("authorization", std::string("Bearer ") + kToken);
    context.set_deadline(std::chrono::system_clock::now() + seconds(30));
  }
  // Sends bytes in place of a message.
  grpc::StatusCode answer_to_bytes(grpc::GenericStub& stub, const std::string& method,
                                   const std::string& bytes) const {
    grpc::ClientContext context;
    authorize(context);
    const grpc::Slice slice(bytes);
    const grpc::ByteBuffer request(&slice, 1);
    grpc::ByteBuffer response;
    std::promise<grpc::Status> done;
    stub.UnaryCall(&context, "/convoy.v1.CoordinatorService/" + method, {}, &request, &response,
                   [&](grpc::Status status) { done.set_value(std::move(status)); });
    return done.get_future().get().error_code();
  }
  void expect_alive() { EXPECT_EQ(client().list_runs({}).runs_size(), 0); }
};

TEST_F(ServiceHostileTest, BytesThatAreNoMessageAreRefused) {
  serve();
  grpc::GenericStub stub(channel());
  for (const std::string& method : kMethods) {
    for (const std::string& bytes : {std::string("\xff\xff\xff\xff"), std::string(64, '\x0a')}) {
      const grpc::StatusCode code = answer_to_bytes(stub, method, bytes);
      EXPECT_NE(code, grpc::StatusCode::OK) << method;
      EXPECT_NE(code, grpc::StatusCode::DEADLINE_EXCEEDED) << method;
    }
  }
  EXPECT_EQ(answer_to_bytes(stub, "NoSuchMethod", ""), grpc::StatusCode::UNIMPLEMENTED);
  expect_alive();
}

TEST_F(ServiceHostileTest, MessagesBeyondTheLimitAreRefused) {
  CoordinatorServer::Options with = options();
  with.limits.message_bytes = 1 << 20;
  serve(with);
  v1::RegisterRunRequest large = registration("one");
  large.set_attempt(std::string(2 << 20, 'x'));
  EXPECT_EQ(refusal_of([&] { client().register_run(large); }), Kind::kResourceExhausted);
  v1::ReportProgressRequest report;
  report.set_run(std::string(2 << 20, 'x'));
  EXPECT_EQ(refusal_of([&] { client().report_progress({&report, 1}); }), Kind::kResourceExhausted);
  expect_alive();
}

TEST_F(ServiceHostileTest, MoreCallsThanAllowedAreRefusedAndThenServedAgain) {
  CoordinatorServer::Options with = options();
  with.limits.calls_per_second = 50;
  serve(with);
  CoordinatorClient client = this->client();
  int refused = 0;
  while (refused == 0) {  // the bucket holds 50, and this is faster than its filling
    refused += refusal_of([&] { client.list_runs({}); }) == Kind::kResourceExhausted ? 1 : 0;
  }
  while (refusal_of([&] { client.list_runs({}); })) {
    std::this_thread::sleep_for(milliseconds(10));
  }
}

TEST_F(ServiceHostileTest, AWrongTokenTakesNothingFromOthersRate) {
  CoordinatorServer::Options with = options();
  with.limits.calls_per_second = 1;
  serve(with);
  CoordinatorClient stranger({.endpoint = {.address = server_->address()}});
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(refusal_of([&] { stranger.list_runs({}); }), Kind::kUnauthenticated);
  }
  expect_alive();
}

TEST_F(ServiceHostileTest, ConnectionsThatSayNothingAreClosed) {
  CoordinatorServer::Options with = options();
  with.limits.handshake = seconds(1);
  serve(with);
  std::list<RawClient> clients(50);
  for (RawClient& client : clients) {
    client.connect(port());
  }
  clients.back().send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");  // half of what HTTP/2 begins with
  clients.front().send("GET / HTTP/1.1\r\nHost: here\r\n\r\n");
  expect_alive();
  for (RawClient& client : clients) {
    EXPECT_TRUE(client.wait_until_closed());
  }
}

TEST_F(ServiceHostileTest, ConnectionsAreBounded) {
  CoordinatorServer::Options with = options();
  with.limits.connections = 5;
  serve(with);
  std::list<RawClient> clients(20);
  for (RawClient& client : clients) {
    client.connect(port());
  }
  int closed = 0;
  for (auto client = std::next(clients.begin(), 5); client != clients.end(); ++client) {
    closed += client->wait_until_closed() ? 1 : 0;
  }
  EXPECT_EQ(closed, 15);
  clients.clear();
  CoordinatorClient client = this->client();
  while (refusal_of([&] { client.list_runs({}); })) {
    std::this_thread::sleep_for(milliseconds(10));
  }
}

TEST_F(ServiceHostileTest, AReportStreamThatSaysNothingIsEnded) {
  CoordinatorServer::Options with = options();
  with.limits.stream_idle = seconds(1);
  serve(with);
  const auto stub = v1::CoordinatorService::NewStub(channel());
  grpc::ClientContext context;
  authorize(context);
  v1::ReportProgressResponse response;
  const auto stream = stub->ReportProgress(&context, &response);
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_LT(std::chrono::system_clock::now(), context.deadline()) << "the client's own deadline";
}

// A WatchRun stream that is told when it ended.
class Watch : public grpc::ClientReadReactor<v1::WatchRunResponse> {
 public:
  Watch(v1::CoordinatorService::Stub& stub, const std::string& run, const std::string& token) {
    context_.AddMetadata("authorization", "Bearer " + token);
    request_.set_run(run);
    stub.async()->WatchRun(&context_, &request_, this);
    StartRead(&response_);
    StartCall();
  }
  void OnReadDone(bool ok) override {
    if (ok) {
      ++messages;
      StartRead(&response_);
    }
  }
  void OnDone(const grpc::Status& status) override { done_.set_value(status.error_code()); }
  grpc::StatusCode wait() { return done_.get_future().get(); }
  void cancel() { context_.TryCancel(); }

  std::atomic<int> messages{0};

 private:
  grpc::ClientContext context_;
  v1::WatchRunRequest request_;
  v1::WatchRunResponse response_;
  std::promise<grpc::StatusCode> done_;
};

TEST_F(ServiceHostileTest, WatchersAreBoundedAndAPlaceIsFreedWhenOneLeaves) {
  CoordinatorServer::Options with = options();
  with.limits.watchers = 3;
  serve(with);
  CoordinatorClient client = this->client();
  client.register_run(registration("one"));
  const auto stub = v1::CoordinatorService::NewStub(channel());
  std::list<Watch> watches;
  for (int i = 0; i < 3; ++i) {
    watches.emplace_back(*stub, "one", kToken);
    while (watches.back().messages == 0) {
      std::this_thread::sleep_for(milliseconds(1));
    }
  }
  EXPECT_EQ(Watch(*stub, "one", kToken).wait(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  watches.front().cancel();
  EXPECT_EQ(watches.front().wait(), grpc::StatusCode::CANCELLED);
  v1::WatchRunRequest request;
  request.set_run("one");
  while (refusal_of([&] { client.watch_run(request, [](const v1::Run&) { return false; }); })) {
    std::this_thread::sleep_for(milliseconds(1));
  }
  client.finish_run(finish("one", 1));
  for (auto watch = std::next(watches.begin()); watch != watches.end(); ++watch) {
    EXPECT_EQ(watch->wait(), grpc::StatusCode::OK);
  }
}

TEST_F(ServiceHostileTest, AFloodOfStreamsOnOneConnectionLeavesRoomForOthers) {
  serve();
  client().register_run(registration("one"));
  const auto stub = v1::CoordinatorService::NewStub(channel());
  std::list<Watch> watches;
  for (int i = 0; i < 1000; ++i) {
    watches.emplace_back(*stub, "one", kToken);
  }
  const auto served = [&] {
    return std::ranges::count_if(watches, [](const Watch& watch) { return watch.messages > 0; });
  };
  while (served() < ServerLimits{}.streams_per_connection) {
    std::this_thread::sleep_for(milliseconds(1));
  }
  EXPECT_EQ(client().list_runs({}).runs_size(), 1);
  EXPECT_EQ(served(), ServerLimits{}.streams_per_connection) << "the others wait at the client";
  for (Watch& watch : watches) {
    watch.cancel();
  }
  for (Watch& watch : watches) {
    watch.wait();
  }
}

TEST_F(ServiceHostileTest, AServerEndsWhileClientsHoldStreamsAndHalfSentCalls) {
  serve();
  client().register_run(registration("one"));
  const auto stub = v1::CoordinatorService::NewStub(channel());
  grpc::ClientContext context;
  authorize(context);
  v1::ReportProgressResponse response;
  const auto stream = stub->ReportProgress(&context, &response);
  ASSERT_TRUE(stream->Write(report("one", 1)));
  Watch watch(*stub, "one", kToken);
  RawClient silent;
  silent.connect(port());
  while (watch.messages == 0) {
    std::this_thread::sleep_for(milliseconds(1));
  }
  stop_serving();
  EXPECT_EQ(watch.wait(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(ServiceHostileTest, AServerEndsWhileClientsKeepComing) {
  std::atomic<int> open_port = 0;
  std::atomic<bool> enough = false;
  std::thread comer([&] {
    while (!enough) {
      RawClient().try_connect(open_port);
    }
  });
  for (int i = 0; i < 50; ++i) {
    serve();
    open_port = port();
    std::this_thread::sleep_for(milliseconds(2));
    stop_serving();
  }
  enough = true;
  comer.join();
  EXPECT_FALSE(RawClient().try_connect(open_port)) << "the port stays open";
}

}  // namespace
}  // namespace convoy::dist
