#include "core/optim/clip.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "core/base/check.h"
#include "core/base/parallel.h"

namespace convoy::optim {
namespace {

// torch.nn.utils.clip_grad_norm_, PyTorch 1.13.1: norm 85, the first element becomes 0.0882352963.
TEST(ClipTest, AgreesWithPyTorch) {
  const std::vector<float> gradient = {3, -4, 12, 0, 84};
  EXPECT_EQ(l2_norm(gradient), 85.0);
  EXPECT_FLOAT_EQ(static_cast<float>(3.0 * clip_factor(85.0, 2.5)), 0.0882352963F);
}

TEST(ClipTest, SmallGradientsAreLeftAlone) {
  EXPECT_EQ(clip_factor(0.5, 1.0), 1.0);
  EXPECT_EQ(clip_factor(0.0, 1.0), 1.0);
}

TEST(ClipTest, EveryElementCountsOnce) {
  for (const std::size_t size : {0, 1, 15, 16, 17, 1024, 5000, 100003}) {
    std::vector<float> values(size, 2.0F);
    EXPECT_EQ(l2_norm(values), std::sqrt(4.0 * static_cast<double>(size))) << size;
  }
}

TEST(ClipTest, BitsDoNotDependOnThreads) {
  std::vector<float> values(100003);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = std::sin(static_cast<float>(i));
  }
  const int threads_before = num_threads();
  set_num_threads(1);
  const double one = l2_norm(values);
  set_num_threads(3);
  EXPECT_EQ(l2_norm(values), one);
  set_num_threads(threads_before);
}

TEST(ClipTest, LargeValuesDoNotOverflow) {
  const std::vector<float> values(4, 1e38F);
  EXPECT_NEAR(l2_norm(values), 2e38, 1e31);
}

TEST(ClipTest, NanReachesTheFactor) {
  const std::vector<float> values = {1.0F, std::numeric_limits<float>::quiet_NaN()};
  EXPECT_TRUE(std::isnan(clip_factor(l2_norm(values), 1.0)));
}

TEST(ClipTest, NonPositiveNormIsRefused) {
  EXPECT_THROW(clip_factor(1.0, 0.0), Error);
}

}  // namespace
}  // namespace convoy::optim
