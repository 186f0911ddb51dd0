#include "core/nn/linear.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/check.h"
#include "tests/support/gradient_check.h"
#include "tests/support/layer_run.h"

namespace convoy::nn {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(LinearTest, MultipliesAndAddsTheBias) {
  Linear linear({.in_features = 2, .out_features = 3});
  const ParameterStore store(linear.named_parameters(), 0);
  const std::array<float, 6> weight = {1, 2, 3, 10, 20, 30};  // in,out
  std::ranges::copy(weight, linear.weight().value().data());
  linear.bias().value().fill(0.5F);
  const std::array<float, 2> x = {1, 2};
  Tape tape = Tape::evaluation();
  const Tensor y = linear.forward(tape, Tensor::of({1, 2}, x)).value();
  EXPECT_EQ(std::vector<float>(y.values().begin(), y.values().end()),
            (std::vector<float>{21.5F, 42.5F, 63.5F}));
}

TEST(LinearTest, RefusesOtherShapes) {
  EXPECT_THROW(Linear({.in_features = 0, .out_features = 3}), Error);
  const Linear linear({.in_features = 4, .out_features = 3});
  EXPECT_THAT(
      [&] {
        linear.output_shape({2, 5});
      },
      ThrowsMessage<Error>(HasSubstr("[2, 5], but (N, 4)")));
  EXPECT_THAT(
      [&] {
        linear.output_shape({2, 1, 1, 4});
      },
      ThrowsMessage<Error>(HasSubstr("is a Flatten missing?")));
}

TEST(LinearTest, GradientMatchesDifferences) {
  for (const bool bias : {true, false}) {
    Linear linear({.in_features = 7, .out_features = 5, .bias = bias});
    testing::expect_gradients(linear, {.input = {4, 7}});
  }
}

TEST(LinearTest, BitsDoNotDependOnThreads) {
  Linear linear({.in_features = 300, .out_features = 200});
  testing::expect_bits_do_not_depend_on_threads(linear, {33, 300});
}

}  // namespace
}  // namespace convoy::nn
