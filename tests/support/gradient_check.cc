#include "tests/support/gradient_check.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace convoy::testing {
namespace {

// Distinct values around 0, shuffled.
Tensor distinct_values(Shape shape, double spacing, RandomSequence& random) {
  Tensor tensor(shape);
  const std::int64_t count = tensor.elements();
  std::vector<std::int64_t> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  for (std::int64_t i = count - 1; i > 0; --i) {
    std::swap(order[static_cast<std::size_t>(i)],
              order[random.below(static_cast<std::uint32_t>(i + 1))]);
  }
  for (std::int64_t i = 0; i < count; ++i) {
    tensor.data()[i] =
        static_cast<float>(spacing * (static_cast<double>(order[static_cast<std::size_t>(i)]) +
                                      0.5 - static_cast<double>(count) / 2));
  }
  return tensor;
}

double dot(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  }
  return sum;
}

}  // namespace

void expect_gradients(nn::Module& module, const GradientCheck& options) {
  const ParameterStore store(module.named_parameters(), options.seed);
  RandomSequence random({.seed = options.seed, .stream = Stream::kSynthetic});
  Tensor input = distinct_values(options.input, options.spacing, random);
  Tensor weights(module.output_shape(options.input));
  std::ranges::generate(weights.values(), [&] { return random.uniform(-1.0F, 1.0F); });

  Tape tape({.recording = true, .training = options.training});
  const Variable x = tape.watch(input);
  const Variable y = module.forward(tape, x);
  ASSERT_EQ(y.shape(), weights.shape()) << "output_shape disagrees with forward";
  tape.backward(y, weights);

  const auto loss = [&] {
    Tape forward({.recording = false, .training = options.training});
    return dot(module.forward(forward, input).value().values(), weights.values());
  };
  const auto compare = [&](const std::string& what, std::span<float> values,
                           std::span<const float> gradient) {
    ASSERT_EQ(values.size(), gradient.size()) << what;
    std::vector<double> expected(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      const float saved = values[i];
      const auto up = static_cast<float>(saved + options.step);
      const auto down = static_cast<float>(saved - options.step);
      values[i] = up;
      const double above = loss();
      values[i] = down;
      const double below = loss();
      values[i] = saved;
      expected[i] = (above - below) / (static_cast<double>(up) - static_cast<double>(down));
    }
    double scale = 1e-3;
    for (const double value : expected) {
      scale = std::max(scale, std::abs(value));
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
      ASSERT_NEAR(gradient[i], expected[i], options.tolerance * scale)
          << what << ", element " << i << " of " << values.size();
    }
  };
  ASSERT_FALSE(tape.grad(x).empty()) << "no gradient reached the input";
  compare("input", input.values(), tape.grad(x).values());
  for (Parameter* parameter : store.parameters()) {
    if (parameter->trainable()) {
      compare(parameter->name(), parameter->value().values(), parameter->grad().values());
    }
  }
}

}  // namespace convoy::testing
