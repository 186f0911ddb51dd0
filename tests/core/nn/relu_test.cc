#include "core/nn/relu.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/support/gradient_check.h"
#include "tests/support/layer_run.h"

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

TEST(ReLUTest, NanPassesThroughWithItsGradient) {
  ReLU relu;
  const testing::LayerRun run =
      testing::run_layer(relu, Tensor::full({40}, std::numeric_limits<float>::quiet_NaN()));
  EXPECT_TRUE(std::isnan(run.output[0]));
  EXPECT_EQ(run.input_gradient, std::vector<float>(40, 1.0F));
}

TEST(ReLUTest, GradientAtZeroIsZero) {
  ReLU relu;
  EXPECT_EQ(testing::run_layer(relu, Tensor::zeros({40})).input_gradient,
            std::vector<float>(40, 0.0F));
}

TEST(ReLUTest, GradientMatchesDifferences) {
  ReLU relu;
  testing::expect_gradients(relu, {.input = {2, 3, 4, 5}});
}

TEST(ReLUTest, BitsDoNotDependOnThreads) {
  ReLU relu;
  testing::expect_bits_do_not_depend_on_threads(relu, {3, 5, 7, 11});
}

}  // namespace
}  // namespace convoy::nn
