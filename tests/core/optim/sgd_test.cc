#include "core/optim/sgd.h"

#include "core/base/check.h"
#include "tests/core/optim/ten_steps.h"

namespace convoy::optim {
namespace {

using testing::after_ten_steps;
using testing::after_three_steps;
using testing::expect_close;

// The numbers are those of torch.optim.SGD, PyTorch 1.13.1 (foreach=False).
TEST(SgdTest, TenStepsAgreeWithPyTorch) {
  Sgd plain(8);
  expect_close(after_ten_steps(plain), {-1.46875F, -1.0062499F, -0.768750012F, -0.306250066F,
                                        -0.0687500015F, 0.393749982F, 0.631249964F, 1.09375F});
  Sgd decayed(8, {.weight_decay = 0.1});
  expect_close(after_ten_steps(decayed), {-1.45406032F, -0.995480835F, -0.761302233F, -0.302722663F,
                                          -0.0685441568F, 0.390035391F, 0.624213815F, 1.08279347F});
}

TEST(SgdTest, TenStepsWithMomentumAndDampeningAgreeWithPyTorch) {
  Sgd sgd(8, {.momentum = 0.9, .dampening = 0.5, .weight_decay = 0.1});
  expect_close(after_ten_steps(sgd), {-1.34067237F, -0.864337504F, -0.727690518F, -0.251355439F,
                                      -0.114708528F, 0.361626446F, 0.498273402F, 0.974608362F});
  const auto state = sgd.state();
  ASSERT_EQ(state.size(), 1U);
  EXPECT_EQ(state[0].name, "momentum_buffer");
  expect_close(state[0].values.values(), {-1.32999349F, -4.6907506F, 0.634220719F, -2.7265358F,
                                          2.59843493F, -0.762321651F, 4.56264973F, 1.20189261F});
}

TEST(SgdTest, TenStepsWithNesterovMomentumAgreeWithPyTorch) {
  Sgd sgd(8, {.momentum = 0.9, .weight_decay = 0.1, .nesterov = true});
  expect_close(after_ten_steps(sgd), {-1.22973311F, -0.57282418F, -0.74804765F, -0.0911387876F,
                                      -0.266362458F, 0.390546501F, 0.215322852F, 0.872231781F});
}

TEST(SgdTest, GradientScaleIsAppliedAsGradientsAreRead) {
  Sgd plain(8, {.momentum = 0.9, .weight_decay = 0.1});
  Sgd scaled(8, {.momentum = 0.9, .weight_decay = 0.1});
  EXPECT_EQ(after_ten_steps(plain), after_ten_steps(scaled, 0.125F));
}

TEST(SgdTest, BitsDependOnNeitherThreadsNorCuts) {
  const SgdOptions options = {.momentum = 0.9, .weight_decay = 0.01, .nesterov = true};
  Sgd sgd(10001, options);
  const std::vector<float> whole = after_three_steps(sgd, 1, {10001});
  Sgd threaded(10001, options);
  EXPECT_EQ(after_three_steps(threaded, 3, {10001}), whole);
  Sgd cut(10001, options);
  EXPECT_EQ(after_three_steps(cut, 2, {1, 18, 18, 4099, 9000, 10001}), whole);
}

TEST(SgdTest, NoElementsAtAllIsFine) {
  Sgd sgd(0, {.momentum = 0.9});
  sgd.begin_step();
  sgd.update({}, {}, 0, {});
  EXPECT_EQ(sgd.state().size(), 1U);
  EXPECT_TRUE(Sgd(0).state().empty());
}

TEST(SgdTest, WhatCannotBeIsRefused) {
  EXPECT_THROW(Sgd(1, {.momentum = -0.1}), Error);
  EXPECT_THROW(Sgd(1, {.weight_decay = -0.1}), Error);
  EXPECT_THROW(Sgd(1, {.nesterov = true}), Error);
  EXPECT_THROW(Sgd(1, {.momentum = 0.9, .dampening = 0.1, .nesterov = true}), Error);
  Sgd sgd(4);
  std::vector<float> values(3);
  sgd.begin_step();
  EXPECT_THROW(sgd.update(values, values, 2, {}), Error);
}

}  // namespace
}  // namespace convoy::optim
