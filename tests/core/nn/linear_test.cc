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

TEST(LinearTest, FirstUseOverwritesTheGradientAndASecondAdds) {
  Linear linear({.in_features = 20, .out_features = 20});
  ParameterStore store(linear.named_parameters(), 0);
  const Tensor x = testing::random_tensor({3, 20});
  Tape tape;
  const auto gradients = [&](int uses) {
    linear.weight().grad().fill(1e9F);
    linear.bias().grad().fill(1e9F);
    store.zero_grad();
    Variable y = x;
    for (int use = 0; use < uses; ++use) {
      y = linear.forward(tape, x);
      tape.backward(y);
    }
    return std::vector<float>(store.gradients().begin(), store.gradients().end());
  };
  const std::vector<float> once = gradients(1);
  const std::vector<float> twice = gradients(2);
  for (std::size_t i = 0; i < once.size(); ++i) {
    ASSERT_LT(std::abs(once[i]), 1e3F) << "element " << i;
    ASSERT_NEAR(twice[i], 2 * once[i], 1e-5) << "element " << i;
  }
}

TEST(LinearTest, NoImagesGiveZeroGradients) {
  Linear linear({.in_features = 20, .out_features = 20});
  ParameterStore store(linear.named_parameters(), 0);
  linear.weight().grad().fill(1e9F);
  linear.bias().grad().fill(1e9F);
  store.zero_grad();
  Tape tape;
  tape.backward(linear.forward(tape, Tensor({0, 20})));
  EXPECT_EQ(std::ranges::count(store.gradients(), 0.0F), 400 + 32);
}

TEST(LinearTest, BitsDoNotDependOnThreads) {
  Linear linear({.in_features = 1100, .out_features = 301});  // more than a block of each
  testing::expect_bits_do_not_depend_on_threads(linear, {33, 1100});
}

}  // namespace
}  // namespace convoy::nn
