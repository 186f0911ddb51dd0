#include "core/nn/linear.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/check.h"
#include "core/base/parallel.h"
#include "tests/support/gradient_check.h"

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
  const auto run = [](int threads) {
    set_num_threads(threads);
    Linear linear({.in_features = 300, .out_features = 200});
    ParameterStore store(linear.named_parameters(), 7);
    Tape tape;
    Tensor input({33, 300});
    RandomSequence random({.seed = 1});
    std::ranges::generate(input.values(), [&] { return random.normal(); });
    const Variable x = tape.watch(input);
    const Variable y = linear.forward(tape, x);
    tape.backward(y, y.value());
    std::vector<float> all(y.value().values().begin(), y.value().values().end());
    all.insert(all.end(), store.gradients().begin(), store.gradients().end());
    all.insert(all.end(), tape.grad(x).values().begin(), tape.grad(x).values().end());
    return all;
  };
  EXPECT_EQ(run(1), run(3));
}

}  // namespace
}  // namespace convoy::nn
