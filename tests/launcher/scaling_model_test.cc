#include "launcher/scaling_model.h"

#include <gtest/gtest.h>

namespace convoy::launcher {
namespace {

// 90 ms of computing, 8 MB in 8 buckets, 100 MB/s.
const Workload kWorkload = {
    .compute_seconds = 0.09, .images = 32, .gradient_bytes = 8e6, .buckets = 8};
const Network kNetwork = {.latency_seconds = 0,
                          .payload_share = 1,
                          .bandwidth_bytes_per_second = 1e8,
                          .overhead_seconds = 0};

TEST(ScalingModelTest, OneHostNeverCommunicates) {
  const Prediction one = predict(kWorkload, kNetwork, 1, true);
  EXPECT_EQ(one.communication_seconds, 0.0);
  EXPECT_DOUBLE_EQ(one.step_seconds, 0.09);
  EXPECT_DOUBLE_EQ(one.efficiency, 1.0);
}

TEST(ScalingModelTest, WithoutOverlapAllBytesAreWaitedFor) {
  // Two hosts send each other half of 8 MB twice: 8 MB at 100 MB/s.
  const Prediction two = predict(kWorkload, kNetwork, 2, false);
  EXPECT_DOUBLE_EQ(two.communication_seconds, 0.08);
  EXPECT_DOUBLE_EQ(two.step_seconds, 0.17);
  EXPECT_DOUBLE_EQ(two.images_per_second, 2 * 32 / 0.17);
  EXPECT_DOUBLE_EQ(two.efficiency, 0.09 / 0.17);
  // Four hosts: 2 x 3/4.
  EXPECT_DOUBLE_EQ(predict(kWorkload, kNetwork, 4, false).communication_seconds, 0.12);
}

TEST(ScalingModelTest, FramesTakeTheirPartOfTheLink) {
  Network network = kNetwork;
  network.payload_share = 0.5;
  EXPECT_DOUBLE_EQ(predict(kWorkload, network, 2, false).communication_seconds, 0.16);
}

TEST(ScalingModelTest, BackwardHidesAllButWhatItCannot) {
  // Seven of eight buckets are ready before the end of the 60 ms of backward: 52.5 ms hide.
  EXPECT_NEAR(predict(kWorkload, kNetwork, 2, true).exposed_seconds, 0.08 - 0.0525, 1e-12);
  // On a fast network only the last bucket is seen.
  Network fast = kNetwork;
  fast.bandwidth_bytes_per_second = 1e10;
  EXPECT_NEAR(predict(kWorkload, fast, 2, true).exposed_seconds, 1e-4, 1e-12);
}

TEST(ScalingModelTest, OneBucketHidesNothing) {
  Workload workload = kWorkload;
  workload.buckets = 1;
  EXPECT_DOUBLE_EQ(predict(workload, kNetwork, 2, true).step_seconds,
                   predict(workload, kNetwork, 2, false).step_seconds);
}

TEST(ScalingModelTest, LatencyIsWaitedForOnceForEachPhase) {
  Network network = kNetwork;
  network.latency_seconds = 0.001;
  const double without = predict(kWorkload, kNetwork, 2, false).step_seconds;
  // Chunks of 500 kB: the receiver is asked first.
  EXPECT_NEAR(predict(kWorkload, network, 2, false).step_seconds, without + 0.006, 1e-12);
  // Chunks of 62.5 kB are not.
  EXPECT_NEAR(predict(kWorkload, network, 16, false).step_seconds -
                  predict(kWorkload, kNetwork, 16, false).step_seconds,
              0.002, 1e-12);
}

TEST(ScalingModelTest, MessagesGrowWithHostsUntilTheyRule) {
  Network network = kNetwork;
  network.overhead_seconds = 5e-6;
  // 8 buckets x 3 x 1023 messages of 5 us.
  EXPECT_NEAR(predict(kWorkload, network, 1024, false).communication_seconds -
                  predict(kWorkload, kNetwork, 1024, false).communication_seconds,
              8 * 3 * 1023 * 5e-6, 1e-9);
}

TEST(ScalingModelTest, WeakScalingGoesByPowersOfTwo) {
  const auto predictions = predict_weak(kWorkload, kNetwork, 1024, true);
  ASSERT_EQ(predictions.size(), 10U);
  EXPECT_EQ(predictions.front().hosts, 2);
  EXPECT_EQ(predictions.back().hosts, 1024);
}

TEST(ScalingModelTest, StrongScalingSharesTheImagesWhileThereAreAny) {
  Workload one = kWorkload;
  one.images = 64;
  one.compute_seconds = 0.64;
  const auto predictions = predict_strong(one, kNetwork, 64, 1024, false);
  ASSERT_EQ(predictions.size(), 6U);
  // 32 images each: 320 ms and 8 MB.
  EXPECT_NEAR(predictions.front().step_seconds, 0.32 + 0.08, 1e-12);
  EXPECT_NEAR(predictions.front().images_per_second, 64 / 0.4, 1e-9);
  EXPECT_NEAR(predictions.front().efficiency, 0.64 / 2 / 0.4, 1e-12);
}

}  // namespace
}  // namespace convoy::launcher
