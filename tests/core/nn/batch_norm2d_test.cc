#include "core/nn/batch_norm2d.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <barrier>
#include <cmath>
#include <limits>
#include <thread>

#include "core/base/check.h"
#include "core/base/parallel.h"
#include "core/nn/module.h"
#include "tests/support/gradient_check.h"
#include "tests/support/layer_run.h"

namespace convoy::nn {
namespace {

using testing::copy_of;
using ::testing::ElementsAre;
using ::testing::FloatNear;
using ::testing::HasSubstr;
using testing::LayerRun;
using ::testing::Pointwise;
using testing::run_layer;
using ::testing::ThrowsMessage;

// One channel 1, 2, 3, 6 (mean 3, variance 3.5), one constant.
constexpr std::array<float, 8> kTwoChannels = {1, 7, 2, 7, 3, 7, 6, 7};

struct Layer {
  explicit Layer(BatchNorm2dOptions options)
      : norm(options), store(norm.named_parameters(), /*seed=*/0) {}
  std::vector<float> values(const std::string& name) { return copy_of(store.find(name)->value()); }
  BatchNorm2d norm;
  ParameterStore store;
};

TEST(BatchNorm2dTest, NormalisesEachChannelOfTheBatch) {
  Layer layer({.num_features = 2, .eps = 0.5});
  layer.store.find("weight")->value().fill(4.0F);
  layer.store.find("bias")->value().fill(1.0F);
  const LayerRun run = run_layer(layer.norm, Tensor::of({2, 1, 2, 2}, kTwoChannels));
  EXPECT_THAT(run.output, ElementsAre(-3, 1, -1, 1, 1, 1, 7, 1));
}

TEST(BatchNorm2dTest, TrainingMovesTheRunningStatistics) {
  Layer layer({.num_features = 2, .momentum = 0.25});
  EXPECT_THAT(layer.values("running_mean"), ElementsAre(0, 0));
  EXPECT_THAT(layer.values("running_var"), ElementsAre(1, 1));
  run_layer(layer.norm, Tensor::of({1, 2, 2, 2}, kTwoChannels));
  EXPECT_THAT(layer.values("running_mean"), ElementsAre(0.75F, 1.75F));
  // The unbiased variance is 14 / 3.
  EXPECT_THAT(layer.values("running_var"),
              ElementsAre(FloatNear(0.75F + 14.0F / 12, 1e-6F), 0.75F));
  EXPECT_THAT(layer.values("num_batches_tracked"), ElementsAre(1));
}

TEST(BatchNorm2dTest, WithoutMomentumRunningStatisticsAreThePlainAverage) {
  Layer layer({.num_features = 1, .momentum = std::nullopt});
  for (const float value : {2.0F, 4.0F, 9.0F}) {
    run_layer(layer.norm, Tensor::full({1, 2, 2, 1}, value));
  }
  EXPECT_THAT(layer.values("running_mean"), ElementsAre(FloatNear(5.0F, 1e-6F)));
  EXPECT_THAT(layer.values("running_var"), ElementsAre(0.0F));
  EXPECT_THAT(layer.values("num_batches_tracked"), ElementsAre(3));
}

TEST(BatchNorm2dTest, EvaluationUsesRunningStatisticsAndLeavesThem) {
  Layer layer({.num_features = 1, .eps = 0.0});
  layer.store.find("running_mean")->value().fill(2.0F);
  layer.store.find("running_var")->value().fill(4.0F);
  Tape tape = Tape::evaluation();
  const Variable y = layer.norm.forward(tape, Tensor::full({1, 1, 1, 1}, 8.0F));
  EXPECT_THAT(copy_of(y.value()), ElementsAre(3));
  EXPECT_THAT(layer.values("running_mean"), ElementsAre(2));
  EXPECT_THAT(layer.values("num_batches_tracked"), ElementsAre(0));
}

TEST(BatchNorm2dTest, WithoutRunningStatisticsEvaluationUsesTheBatch) {
  Layer layer({.num_features = 2, .eps = 0.5, .affine = false, .track_running_stats = false});
  EXPECT_TRUE(layer.store.parameters().empty());
  Tape tape = Tape::evaluation();
  const Variable y = layer.norm.forward(tape, Tensor::of({2, 1, 2, 2}, kTwoChannels));
  EXPECT_THAT(copy_of(y.value()), ElementsAre(-1, 0, -0.5F, 0, 0, 0, 1.5F, 0));
}

// Mean 5000 times the deviation: float sums would leave no correct digit of the variance.
TEST(BatchNorm2dTest, LargeMeanDoesNotSpoilTheVariance) {
  Layer layer({.num_features = 1, .momentum = 1.0});
  Tensor x = testing::random_tensor({4, 20, 20, 1});
  double mean = 0;
  for (float& value : x.values()) {
    value = 5000.0F + value;
    mean += static_cast<double>(value) / 1600;
  }
  double variance = 0;
  for (const float value : x.values()) {
    variance += std::pow(static_cast<double>(value) - mean, 2) / 1599;
  }
  run_layer(layer.norm, x);
  EXPECT_NEAR(layer.values("running_mean")[0], mean, 1e-3);
  EXPECT_NEAR(layer.values("running_var")[0], variance, 1e-6);
}

TEST(BatchNorm2dTest, NanStaysVisible) {
  Layer layer({.num_features = 1});
  Tensor x = Tensor::full({1, 2, 2, 1}, 1.0F);
  x.data()[2] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(std::isnan(run_layer(layer.norm, x).output[0]));
}

TEST(BatchNorm2dTest, NamesAndKindsAreThoseOfPyTorch) {
  Layer layer({.num_features = 3});
  std::vector<std::string> names;
  for (const NamedParameter& named : layer.norm.named_parameters()) {
    names.push_back(named.name);
  }
  EXPECT_THAT(names,
              ElementsAre("weight", "bias", "running_mean", "running_var", "num_batches_tracked"));
  EXPECT_TRUE(layer.store.find("bias")->trainable());
  EXPECT_FALSE(layer.store.find("running_var")->trainable());
  EXPECT_TRUE(layer.store.find("num_batches_tracked")->integer());
  EXPECT_EQ(layer.store.find("num_batches_tracked")->shape(), Shape());
}

TEST(BatchNorm2dTest, DescribesItselfAsPyTorchDoes) {
  EXPECT_EQ(BatchNorm2d({.num_features = 3}).describe(),
            "BatchNorm2d(3, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)");
  EXPECT_EQ(BatchNorm2d({.num_features = 3, .momentum = std::nullopt, .affine = false}).describe(),
            "BatchNorm2d(3, eps=1e-05, momentum=None, affine=False, track_running_stats=True)");
}

TEST(BatchNorm2dTest, RefusesWithTheNumbers) {
  EXPECT_THAT([] { BatchNorm2d norm({.num_features = -1}); },
              ThrowsMessage<Error>(HasSubstr("num_features -1")));
  Layer layer({.num_features = 3});
  EXPECT_THAT(
      [&] {
        layer.norm.output_shape({2, 5, 6, 4});
      },
      ThrowsMessage<Error>(HasSubstr("4 channels in [2, 4, 5, 6]")));
  EXPECT_THAT(
      [&] {
        layer.norm.output_shape({2, 3});
      },
      ThrowsMessage<Error>(HasSubstr("got [2, 3]")));
  EXPECT_THAT(
      [&] {
        run_layer(layer.norm, Tensor({1, 1, 1, 3}));
      },
      ThrowsMessage<Error>(HasSubstr("more than 1 value per channel, got 1")));
  EXPECT_THAT(layer.values("num_batches_tracked"), ElementsAre(0));
}

class BatchNorm2dOptionsTest : public ::testing::TestWithParam<BatchNorm2dOptions> {};

TEST_P(BatchNorm2dOptionsTest, GradientMatchesDifferences) {
  for (const bool training : {true, false}) {
    BatchNorm2d norm(GetParam());
    testing::expect_gradients(norm, {.input = {2, 3, 4, 5}, .training = training});
  }
}

// Huge numbers that cancel, among small ones: another order of adding them shows even in floats.
Tensor cancelling(Shape shape, std::uint64_t seed) {
  Tensor tensor = testing::random_tensor(shape, seed);
  const std::int64_t half = tensor.elements() / 2;
  for (std::int64_t i = 0; i < half; ++i) {
    if (i / shape.c() % 2 == 0) {
      tensor.data()[i] *= 1e14F;
      tensor.data()[i + half] = -tensor.data()[i];
    }
  }
  return tensor;
}

TEST_P(BatchNorm2dOptionsTest, BitsDoNotDependOnThreads) {
  BatchNorm2d norm(GetParam());
  testing::expect_bits_do_not_depend_on_threads(norm, {7, 11, 13, 5});
  const Shape shape = {8, 11, 13, 5};
  testing::expect_bits_do_not_depend_on_threads(norm, cancelling(shape, 1), cancelling(shape, 2));
}

INSTANTIATE_TEST_SUITE_P(Options, BatchNorm2dOptionsTest,
                         ::testing::Values(BatchNorm2dOptions{.num_features = 5},
                                           BatchNorm2dOptions{.num_features = 5, .affine = false},
                                           BatchNorm2dOptions{.num_features = 5,
                                                              .track_running_stats = false}));

// Ranks as threads: each adds its sums to the common ones, in order of rank.
class ThreadRanks {
 public:
  explicit ThreadRanks(int ranks) : ranks_(ranks), barrier_(ranks) {}

  void all_reduce_sum(int rank, std::span<double> sums) {
    if (rank == 0) {
      total_.assign(sums.size(), 0.0);
    }
    for (int turn = 0; turn < ranks_; ++turn) {
      barrier_.arrive_and_wait();
      if (turn == rank) {
        ASSERT_EQ(sums.size(), total_.size());
        for (std::size_t i = 0; i < sums.size(); ++i) {
          total_[i] += sums[i];
        }
      }
    }
    barrier_.arrive_and_wait();
    std::ranges::copy(total_, sums.begin());
    barrier_.arrive_and_wait();
  }

 private:
  int ranks_;
  std::barrier<> barrier_;
  std::vector<double> total_;
};

// Rank r has images first[r] .. first[r + 1] of five; the last rank has none.
TEST(BatchNorm2dTest, RanksTogetherComputeWhatOneComputesAlone) {
  constexpr int kRanks = 3;
  const std::array<std::int64_t, kRanks + 1> first = {0, 2, 5, 5};
  const Shape whole_shape = {5, 4, 3, 6};
  const Tensor x = testing::random_tensor(whole_shape, 1);
  const Tensor dy = testing::random_tensor(whole_shape, 2);
  Layer alone({.num_features = 6});
  const LayerRun whole = run_layer(alone.norm, x, {.grad_output = dy});

  const int threads_before = num_threads();
  set_num_threads(1);  // one job at a time: parallel_for has one caller
  ThreadRanks ranks(kRanks);
  std::array<LayerRun, kRanks> runs;
  std::array<std::vector<float>, kRanks> means;
  std::array<std::vector<float>, kRanks> variances;
  std::vector<std::thread> threads;
  threads.reserve(kRanks);
  for (int rank = 0; rank < kRanks; ++rank) {
    threads.emplace_back([&, rank] {
      const auto r = static_cast<std::size_t>(rank);
      const Shape shape = {first[r + 1] - first[r], 4, 3, 6};
      Layer layer({.num_features = 6});
      runs[r] = run_layer(layer.norm, x.slice(first[r] * 72, shape),
                          {.grad_output = dy.slice(first[r] * 72, shape),
                           .context = {.all_reduce_sum = [&, rank](std::span<double> sums) {
                             ranks.all_reduce_sum(rank, sums);
                           }}});
      means[r] = layer.values("running_mean");
      variances[r] = layer.values("running_var");
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  set_num_threads(threads_before);

  LayerRun joined = runs[0];
  for (std::size_t r = 1; r < kRanks; ++r) {
    joined.output.insert(joined.output.end(), runs[r].output.begin(), runs[r].output.end());
    joined.input_gradient.insert(joined.input_gradient.end(), runs[r].input_gradient.begin(),
                                 runs[r].input_gradient.end());
    for (std::size_t p = 0; p < joined.parameter_gradients.size(); ++p) {
      for (std::size_t i = 0; i < joined.parameter_gradients[p].size(); ++i) {
        joined.parameter_gradients[p][i] += runs[r].parameter_gradients[p][i];
      }
    }
    EXPECT_EQ(means[r], means[0]);
    EXPECT_EQ(variances[r], variances[0]);
  }
  EXPECT_THAT(joined.output, Pointwise(FloatNear(1e-6F), whole.output));
  EXPECT_THAT(joined.input_gradient, Pointwise(FloatNear(1e-6F), whole.input_gradient));
  for (std::size_t p = 0; p < 2; ++p) {
    EXPECT_THAT(joined.parameter_gradients[p],
                Pointwise(FloatNear(1e-5F), whole.parameter_gradients[p]));
  }
  EXPECT_THAT(means[0], Pointwise(FloatNear(1e-7F), alone.values("running_mean")));
  EXPECT_THAT(variances[0], Pointwise(FloatNear(1e-6F), alone.values("running_var")));
}

TEST(BatchNorm2dTest, SingleValuePerRankIsEnoughIfTheGlobalBatchHasMore) {
  Layer layer({.num_features = 1});
  Tape tape;
  tape.begin_step({.all_reduce_sum = [](std::span<double> sums) {
    for (double& sum : sums) {
      sum *= 2;
    }
  }});
  EXPECT_NO_THROW(layer.norm.forward(tape, Tensor::full({1, 1, 1, 1}, 3.0F)));
}

}  // namespace
}  // namespace convoy::nn
