#include "core/optim/adam.h"

#include "core/base/check.h"
#include "tests/core/optim/ten_steps.h"

namespace convoy::optim {
namespace {

using testing::after_ten_steps;
using testing::after_three_steps;
using testing::expect_close;

// The numbers are those of torch.optim.Adam and AdamW, PyTorch 1.13.1 (foreach=False).
TEST(AdamTest, TenStepsAgreeWithPyTorch) {
  Adam adam(8);
  expect_close(after_ten_steps(adam), {-1.41751182F, -1.02344048F, -0.728287518F, -0.276541114F,
                                       -0.0984589085F, 0.353287548F, 0.64844054F, 1.04251182F});
  const auto state = adam.state();
  ASSERT_EQ(state.size(), 2U);
  EXPECT_EQ(state[0].name, "exp_avg");
  expect_close(state[0].values.values(), {-0.134058282F, -0.842923999F, 0.191602468F, -0.517263234F,
                                          0.517263234F, -0.191602468F, 0.842923999F, 0.134058282F});
  EXPECT_EQ(state[1].name, "exp_avg_sq");
  expect_close(state[1].values.values(),
               {0.00224904157F, 0.0153459515F, 0.0016371177F, 0.00600275397F, 0.00600275397F,
                0.0016371177F, 0.0153459515F, 0.00224904157F});
}

TEST(AdamTest, TenStepsWithEveryOptionAgreeWithPyTorch) {
  Adam adam(8, {.betas = {0.8, 0.95}, .eps = 1e-3, .weight_decay = 0.1});
  expect_close(after_ten_steps(adam), {-1.41727257F, -1.02162588F, -0.726575613F, -0.272160619F,
                                       -0.102348574F, 0.35883981F, 0.646577299F, 1.04369199F});
}

TEST(AdamTest, TenStepsOfAdamWAgreeWithPyTorch) {
  Adam adam(8, {.weight_decay = 0.1, .decoupled_weight_decay = true});
  expect_close(after_ten_steps(adam), {-1.40299869F, -1.01269305F, -0.72110033F, -0.273245811F,
                                       -0.09802109F, 0.349833488F, 0.641426146F, 1.03173161F});
}

TEST(AdamTest, GradientScaleIsAppliedAsGradientsAreRead) {
  Adam plain(8, {.weight_decay = 0.1});
  Adam scaled(8, {.weight_decay = 0.1});
  EXPECT_EQ(after_ten_steps(plain), after_ten_steps(scaled, 0.125F));
}

// The digest is the same constant whatever CONVOY_ISA this program runs with.
TEST(AdamTest, BitsDependOnNeitherInstructionSetNorThreadsNorCuts) {
  const AdamOptions options = {.weight_decay = 0.01};
  Adam adam(10001, options);
  const std::vector<float> whole = after_three_steps(adam, 1, {10001});
  EXPECT_EQ(testing::digest(whole), 11495353904414344159U);

  Adam threaded(10001, options);
  EXPECT_EQ(after_three_steps(threaded, 3, {10001}), whole);
  Adam cut(10001, options);
  EXPECT_EQ(after_three_steps(cut, 2, {1, 18, 18, 4099, 9000, 10001}), whole);
}

TEST(AdamTest, ZerosWithoutGradientStayZero) {
  Adam adam(3, {.weight_decay = 0.1, .decoupled_weight_decay = true});
  std::vector<float> values(3);
  const std::vector<float> gradients(3);
  for (int step = 0; step < 3; ++step) {
    adam.begin_step();
    adam.update(values, gradients, 0, {});
  }
  EXPECT_EQ(values, std::vector<float>(3));
}

TEST(AdamTest, StateAndStepContinueARun) {
  Adam first(10001);
  const std::vector<float> three = after_three_steps(first, 1, {10001});
  Adam second(10001);
  second.set_step(first.step());
  for (std::size_t i = 0; i < 2; ++i) {
    std::ranges::copy(first.state()[i].values.values(), second.state()[i].values.data());
  }
  const std::vector<float> gradients = testing::random_values(10001, 9);
  const auto next = [&](Adam& adam) {
    std::vector<float> values = three;
    adam.begin_step();
    adam.update(values, gradients, 0, {});
    return values;
  };
  EXPECT_EQ(next(first), next(second));
}

TEST(AdamTest, NoElementsAtAllIsFine) {
  Adam adam(0);
  adam.begin_step();
  adam.update({}, {}, 0, {});
  EXPECT_EQ(adam.state()[0].values.elements(), 0);
}

TEST(AdamTest, WhatCannotBeIsRefused) {
  EXPECT_THROW(Adam(1, {.betas = {1.0, 0.999}}), Error);
  EXPECT_THROW(Adam(1, {.betas = {0.9, -0.1}}), Error);
  EXPECT_THROW(Adam(1, {.eps = 0.0}), Error);
  EXPECT_THROW(Adam(1, {.weight_decay = -1.0}), Error);
  Adam adam(4);
  std::vector<float> values(3);
  EXPECT_THROW(adam.update(values, values, 0, {}), Error) << "before begin_step";
  adam.begin_step();
  EXPECT_NO_THROW(adam.update(values, values, 1, {}));
  EXPECT_THROW(adam.update(values, values, 2, {}), Error);
  EXPECT_THROW(adam.update(values, values, -1, {}), Error);
  EXPECT_THROW(adam.update(values, std::span(values).first(2), 0, {}), Error);
}

TEST(AdamTest, DescribesItselfAsPyTorchDoes) {
  EXPECT_EQ(Adam(0).describe(), "Adam(betas=(0.9, 0.999), eps=1e-08, weight_decay=0)");
  EXPECT_EQ(Adam(0, {.weight_decay = 0.01, .decoupled_weight_decay = true}).describe(),
            "AdamW(betas=(0.9, 0.999), eps=1e-08, weight_decay=0.01)");
}

}  // namespace
}  // namespace convoy::optim
