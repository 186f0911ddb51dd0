#include "core/nn/dropout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/check.h"
#include "tests/support/gradient_check.h"
#include "tests/support/layer_run.h"

namespace convoy::nn {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;
using testing::run_layer;
using ::testing::ThrowsMessage;

std::vector<float> dropped(DropoutOptions options, Shape shape, StepContext context) {
  Dropout dropout(options);
  return run_layer(dropout, Tensor::full(shape, 1.0F), {.context = std::move(context)}).output;
}

TEST(DropoutTest, ZeroesTheShareAskedForAndScalesTheRest) {
  const std::vector<float> y = dropped({.p = 0.25}, {8, 10, 10, 25}, {.seed = 3, .step = 2});
  const auto zeros = static_cast<double>(std::ranges::count(y, 0.0F));
  EXPECT_EQ(zeros + static_cast<double>(std::ranges::count(y, 1.0F / 0.75F)), 20000.0);
  EXPECT_NEAR(zeros / 20000, 0.25, 0.02);
}

// The numbers are those of core/base/random.h: 64 blocks at a time, all first numbers first.
TEST(DropoutTest, MaskIsPhiloxOfSeedStepLayerAndSample) {
  const std::vector<std::int64_t> samples = {70, 9};
  const std::vector<float> y = dropped({.p = 0.5, .layer = 4}, {2, 1500},
                                       {.seed = 0x500000007, .step = 6, .samples = samples});
  for (std::size_t i = 0; i < y.size(); ++i) {
    const std::size_t element = i % 1500;
    const RandomKey key{.seed = 0x500000007,
                        .stream = Stream::kDropout,
                        .layer = 4,
                        .step = 6,
                        .sample = static_cast<std::uint32_t>(samples[i / 1500])};
    const auto block = static_cast<std::uint32_t>(element / 256 * 64 + element % 64);
    const std::uint32_t number = philox(key, block)[element % 256 / 64];
    ASSERT_EQ(y[i], number >= 0x80000000 ? 2.0F : 0.0F) << i;
  }
}

TEST(DropoutTest, MaskFollowsTheSampleWhereverItIsInTheBatch) {
  const std::vector<std::int64_t> samples = {5, 6, 7};
  const std::vector<std::int64_t> alone = {6};
  const std::vector<float> batch = dropped({}, {3, 5, 5, 3}, {.samples = samples});
  const std::vector<float> single = dropped({}, {1, 5, 5, 3}, {.samples = alone});
  EXPECT_TRUE(std::equal(single.begin(), single.end(), batch.begin() + 75));
}

TEST(DropoutTest, SeedStepLayerAndSampleEachChangeTheMask) {
  const std::vector<std::int64_t> sample = {1};
  const std::vector<float> base = dropped({}, {1, 300}, {});
  EXPECT_EQ(dropped({}, {1, 300}, {}), base);
  EXPECT_NE(dropped({}, {1, 300}, {.seed = 1}), base);
  EXPECT_NE(dropped({}, {1, 300}, {.seed = std::uint64_t{1} << 32}), base);
  EXPECT_NE(dropped({}, {1, 300}, {.step = 1}), base);
  EXPECT_NE(dropped({.layer = 1}, {1, 300}, {}), base);
  EXPECT_NE(dropped({}, {1, 300}, {.samples = sample}), base);
}

TEST(DropoutTest, EvaluationAndZeroPPassTheInputItself) {
  Dropout half;
  Dropout none({.p = 0.0});
  Tape evaluation = Tape::evaluation();
  Tape training;
  const Tensor x = Tensor::full({2, 3}, 1.0F);
  EXPECT_EQ(half.forward(evaluation, x).value().data(), x.data());
  EXPECT_EQ(none.forward(training, x).value().data(), x.data());
}

TEST(DropoutTest, POfOneDropsEverything) {
  Dropout all({.p = 1.0});
  const testing::LayerRun run = run_layer(all, Tensor::full({2, 50}, 3.0F));
  EXPECT_THAT(run.output, Each(0.0F));
  EXPECT_THAT(run.input_gradient, Each(0.0F));
}

TEST(DropoutTest, DroppedNanStaysNan) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const double p : {0.5, 1.0}) {
    Dropout dropout({.p = p});
    const std::vector<float> y = run_layer(dropout, Tensor::full({1, 50}, nan)).output;
    EXPECT_TRUE(std::ranges::all_of(y, [](float value) { return std::isnan(value); })) << p;
  }
}

TEST(DropoutTest, RefusesWithTheNumbers) {
  EXPECT_THAT([] { Dropout dropout({.p = 1.5}); }, ThrowsMessage<Error>(HasSubstr("p 1.5")));
  EXPECT_THAT([] { Dropout dropout({.p = -0.1}); }, ThrowsMessage<Error>(HasSubstr("p -0.1")));
  EXPECT_THAT([] { Dropout dropout({.p = std::nan("")}); }, ThrowsMessage<Error>(HasSubstr("nan")));
  EXPECT_THAT([] { Dropout dropout({.layer = 1U << 24}); },
              ThrowsMessage<Error>(HasSubstr("layer 16777216")));
  const std::vector<std::int64_t> samples = {1, 2};
  EXPECT_THAT(
      [&] {
        dropped({}, {3, 4}, {.samples = samples});
      },
      ThrowsMessage<Error>(HasSubstr("2 sample ids for a batch of 3")));
}

TEST(DropoutTest, DescribesItselfAsPyTorchDoes) {
  EXPECT_EQ(Dropout().describe(), "Dropout(p=0.5, inplace=False)");
  EXPECT_EQ(Dropout({.p = 0}).describe(), "Dropout(p=0, inplace=False)");
}

TEST(DropoutTest, EmptyBatchGivesAnEmptyOutput) {
  Dropout dropout;
  EXPECT_EQ(run_layer(dropout, Tensor({0, 4, 4, 3})).shape, (Shape{0, 4, 4, 3}));
}

TEST(DropoutTest, GradientMatchesDifferencesAndBitsDoNotDependOnThreads) {
  Dropout dropout({.p = 0.3});
  testing::expect_gradients(dropout, {.input = {3, 4, 3, 2}});
  testing::expect_bits_do_not_depend_on_threads(dropout, {2, 30, 31, 3});
}

}  // namespace
}  // namespace convoy::nn
