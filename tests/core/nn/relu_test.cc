#include "core/nn/relu.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/support/gradient_check.h"

namespace convoy::nn {
namespace {

TEST(ReLUTest, KeepsPositivesAndZeroesNegatives) {
  ReLU relu;
  Tape tape = Tape::evaluation();
  const std::array<float, 4> in = {-2.0F, 0.0F, 0.5F, 3.0F};
  const Variable y = relu.forward(tape, Tensor::of({4}, in));
  EXPECT_EQ(std::vector<float>(y.value().values().begin(), y.value().values().end()),
            (std::vector<float>{0.0F, 0.0F, 0.5F, 3.0F}));
}

TEST(ReLUTest, NanPassesThrough) {
  ReLU relu;
  Tape tape = Tape::evaluation();
  const Variable y = relu.forward(tape, Tensor::full({1}, std::numeric_limits<float>::quiet_NaN()));
  EXPECT_TRUE(std::isnan(y.value().values()[0]));
}

TEST(ReLUTest, GradientMatchesDifferences) {
  ReLU relu;
  testing::expect_gradients(relu, {.input = {2, 3, 4, 5}});
}

}  // namespace
}  // namespace convoy::nn
