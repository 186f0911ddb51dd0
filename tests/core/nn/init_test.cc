#include "core/nn/init.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace convoy::nn {
namespace {

struct Drawn {
  double largest = 0;
  double deviation = 0;
};

Drawn draw(const Initializer& initializer) {
  Tensor value({100000});
  RandomSequence random({.seed = 9});
  initializer(value, random);
  Drawn drawn;
  for (const float element : value.values()) {
    drawn.largest = std::max(drawn.largest, static_cast<double>(std::abs(element)));
    drawn.deviation += static_cast<double>(element) * static_cast<double>(element);
  }
  drawn.deviation = std::sqrt(drawn.deviation / 100000);
  return drawn;
}

TEST(InitTest, XavierFollowsBothFans) {
  const Fan fan{.in = 30, .out = 20};
  EXPECT_NEAR(draw(xavier_uniform(fan)).largest, std::sqrt(6.0 / 50), 1e-4);
  EXPECT_NEAR(draw(xavier_uniform(fan)).deviation, std::sqrt(2.0 / 50), 1e-3);
  EXPECT_NEAR(draw(xavier_normal(fan, 3.0)).deviation, 3 * std::sqrt(2.0 / 50), 1e-2);
}

TEST(InitTest, KaimingFollowsFanIn) {
  const Fan fan{.in = 50, .out = 7};
  EXPECT_NEAR(draw(kaiming_uniform(fan)).largest, std::sqrt(6.0 / 50), 1e-4);
  EXPECT_NEAR(draw(kaiming_uniform(fan, std::sqrt(5.0))).largest, std::sqrt(1.0 / 50), 1e-4);
  EXPECT_NEAR(draw(kaiming_normal(fan)).deviation, std::sqrt(2.0 / 50), 1e-3);
}

TEST(InitTest, ConstantFillsAndUniformKeepsItsBound) {
  EXPECT_EQ(draw(constant(2.0F)).largest, 2.0);
  EXPECT_LE(draw(uniform(0.25)).largest, 0.25);
}

}  // namespace
}  // namespace convoy::nn
