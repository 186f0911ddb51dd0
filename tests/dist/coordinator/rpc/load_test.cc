#include "dist/coordinator/rpc/load.h"

#include <gtest/gtest.h>

#include "tests/dist/coordinator/rpc/service_fixture.h"

namespace convoy::dist {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class LoadTest : public ServiceFixture {
 protected:
  Load load(int reports_per_call) const {
    return {.endpoint = {.address = server_->address(), .token = kToken},
            .workers = 3,
            .period = milliseconds(0),
            .reports_per_call = reports_per_call,
            .duration = seconds(1)};
  }
};

TEST_F(LoadTest, CountsWhatWasAnswered) {
  CoordinatorServer::Options with = options();
  with.limits.calls_per_second = 1e9;  // on a quiet machine three workers reach the default
  serve(with);
  const LoadResult result = generate_load(load(10));
  EXPECT_EQ(result.failed, 0);
  EXPECT_TRUE(result.failures.empty());
  EXPECT_GE(result.calls, 3);
  EXPECT_GT(result.reports_per_second, 0.0);
  EXPECT_LE(result.p50_ms, result.p99_ms);
  EXPECT_LE(result.p99_ms, result.max_ms);
  v1::GetRunRequest request;
  request.set_run("bench-0");
  EXPECT_EQ(coordinator_.get_run(request).step() % 10, 0);
  EXPECT_GT(coordinator_.get_run(request).step(), 0);
}

TEST_F(LoadTest, TellsWhyCallsFailed) {
  CoordinatorServer::Options with = options();
  with.limits.calls_per_second = 20;
  serve(with);
  const LoadResult result = generate_load(load(1));
  ASSERT_TRUE(result.failures.contains("RESOURCE_EXHAUSTED"));
  EXPECT_EQ(result.failures.at("RESOURCE_EXHAUSTED").example,
            "the coordinator is called too often");
  std::int64_t failed = 0;
  for (const auto& [code, failure] : result.failures) {
    failed += failure.calls;
  }
  EXPECT_EQ(failed, result.failed);
  EXPECT_LT(failed, result.calls);
}

}  // namespace
}  // namespace convoy::dist
