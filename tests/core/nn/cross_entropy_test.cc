#include "core/nn/cross_entropy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "core/base/check.h"
#include "core/nn/module.h"
#include "tests/support/gradient_check.h"
#include "tests/support/layer_run.h"

namespace convoy::nn {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();
using Reduction = CrossEntropyOptions::Reduction;

Loss loss_of(Shape shape, std::vector<float> logits, std::vector<std::uint8_t> labels,
             CrossEntropyOptions options = {}) {
  Tape tape = Tape::evaluation();
  return cross_entropy(tape, Tensor::of(shape, logits), labels, options);
}

float value_of(const Loss& loss) {
  return loss.value.value().values()[0];
}

// cross_entropy as a layer, for the shared checks.
class LossLayer : public Module {
 public:
  LossLayer(std::vector<std::uint8_t> labels, CrossEntropyOptions options)
      : labels_(std::move(labels)), options_(options) {}
  Variable forward(Tape& tape, const Variable& x) override {
    return cross_entropy(tape, x, labels_, options_).value;
  }
  Shape output_shape(const Shape&) const override { return {}; }
  std::string describe() const override { return "CrossEntropyLoss()"; }

 private:
  std::vector<std::uint8_t> labels_;
  CrossEntropyOptions options_;
};

TEST(CrossEntropyTest, IsTheLogarithmOfTheLabelsProbability) {
  // Probabilities 1/2, 1/4, 1/4 and 1/4, 3/4.
  const auto log = [](double p) { return static_cast<float>(std::log(p)); };
  const Loss loss = loss_of({2, 3}, {log(2), log(1), log(1), log(1), log(3), -kInfinity}, {1, 0});
  EXPECT_NEAR(loss.sum, 2 * std::log(4.0), 1e-6);
  EXPECT_NEAR(value_of(loss), std::log(4.0), 1e-6);
  EXPECT_EQ(loss.correct, 0);
}

// Values printed by torch.nn.functional.cross_entropy.
TEST(CrossEntropyTest, SmoothingAndReductionAreThoseOfPyTorch) {
  const std::vector<float> logits = {1, 2, 3, 2, 2, -1};
  EXPECT_NEAR(value_of(loss_of({2, 3}, logits, {0, 2}, {.label_smoothing = 0.3})), 2.6127, 5e-5);
  EXPECT_NEAR(value_of(loss_of({2, 3}, logits, {0, 2},
                               {.label_smoothing = 0.3, .reduction = Reduction::kSum})),
              2 * 2.6127, 1e-4);
}

TEST(CrossEntropyTest, GradientIsSoftmaxMinusOneHotOverRows) {
  LossLayer layer({1, 0}, {});
  const std::array<float, 4> logits = {0, 0, 0, static_cast<float>(std::log(3.0))};
  const testing::LayerRun run = testing::run_layer(layer, Tensor::of({2, 2}, logits),
                                                   {.grad_output = Tensor::full({}, 8.0F)});
  EXPECT_THAT(run.input_gradient, ElementsAre(2, -2, -3, 3));
}

TEST(CrossEntropyTest, GradientMatchesDifferencesAndBitsDoNotDependOnThreads) {
  for (const double smoothing : {0.0, 0.2, 1.0}) {
    for (const Reduction reduction : {Reduction::kMean, Reduction::kSum}) {
      LossLayer layer({0, 3, 2, 2, 1}, {.label_smoothing = smoothing, .reduction = reduction});
      testing::expect_gradients(layer, {.input = {5, 4}});
      testing::expect_bits_do_not_depend_on_threads(layer, {5, 4});
    }
  }
}

TEST(CrossEntropyTest, HugeLogitsDoNotOverflow) {
  EXPECT_EQ(value_of(loss_of({1, 2}, {3e38F, -3e38F}, {0})), 0.0F);
  EXPECT_EQ(loss_of({1, 2}, {1e30F, 0}, {1}).sum, static_cast<double>(1e30F));
}

TEST(CrossEntropyTest, InfiniteLogitsGiveWhatPyTorchGives) {
  EXPECT_EQ(value_of(loss_of({1, 2}, {-kInfinity, 1}, {1})), 0.0F);
  EXPECT_EQ(value_of(loss_of({1, 2}, {-kInfinity, 1}, {0})), kInfinity);
  EXPECT_EQ(value_of(loss_of({1, 2}, {-kInfinity, 1}, {1}, {.label_smoothing = 0.1})), kInfinity);
  EXPECT_TRUE(std::isnan(value_of(loss_of({1, 2}, {kInfinity, 1}, {0}))));
}

TEST(CrossEntropyTest, NanLogitsGiveANanLossAndAreNeverCorrect) {
  for (const std::vector<float>& row :
       {std::vector<float>{kNan, 1}, std::vector<float>{1, kNan}, std::vector<float>{kNan, kNan}}) {
    for (const std::uint8_t label : {0, 1}) {
      const Loss loss = loss_of({1, 2}, row, {label});
      EXPECT_TRUE(std::isnan(value_of(loss)));
      EXPECT_TRUE(std::isnan(loss.sum));
      EXPECT_EQ(loss.correct, 0);
    }
  }
}

TEST(CrossEntropyTest, CountsRowsWhoseFirstLargestLogitIsTheLabels) {
  EXPECT_EQ(loss_of({3, 3}, {5, 5, 1, 1, 5, 5, 0, 1, 2}, {0, 1, 1}).correct, 2);
}

TEST(CrossEntropyTest, MeanOfNoRowsIsNanAndTheirSumIsZero) {
  EXPECT_TRUE(std::isnan(value_of(loss_of({0, 3}, {}, {}))));
  EXPECT_EQ(value_of(loss_of({0, 3}, {}, {}, {.reduction = Reduction::kSum})), 0.0F);
  EXPECT_EQ(loss_of({0, 3}, {}, {}).sum, 0.0);
  LossLayer layer({}, {});
  EXPECT_TRUE(testing::run_layer(layer, Tensor({0, 3})).input_gradient.empty());
}

TEST(CrossEntropyTest, RefusesWithTheNumbers) {
  EXPECT_THAT(
      [] {
        loss_of({2, 3}, {1, 2, 3, 4, 5, 6}, {1});
      },
      ThrowsMessage<Error>(HasSubstr("2 rows of logits against 1 labels")));
  EXPECT_THAT(
      [] {
        loss_of({2, 3}, {1, 2, 3, 4, 5, 6}, {1, 3});
      },
      ThrowsMessage<Error>(HasSubstr("label 3 of row 1 is none of 3 classes")));
  EXPECT_THAT(
      [] {
        loss_of({1, 2}, {1, 2}, {1}, {.label_smoothing = 1.1});
      },
      ThrowsMessage<Error>(HasSubstr("label_smoothing 1.1")));
  EXPECT_THAT([] { loss_of({2}, {1, 2}, {1}); }, ThrowsMessage<Error>(HasSubstr("got [2]")));
}

}  // namespace
}  // namespace convoy::nn
