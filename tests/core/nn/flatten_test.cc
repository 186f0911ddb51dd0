#include "core/nn/flatten.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/check.h"
#include "core/nn/relu.h"
#include "core/nn/sequential.h"
#include "tests/support/gradient_check.h"
#include "tests/support/layer_run.h"

namespace convoy::nn {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::LayerRun;
using testing::run_layer;
using ::testing::ThrowsMessage;

constexpr std::array<float, 4> kPixels = {1, 2, 3, 4};

TEST(FlattenTest, EmitsChannelsFirst) {
  Flatten flatten;
  // Two pixels of two channels.
  const LayerRun run = run_layer(flatten, Tensor::of({1, 1, 2, 2}, kPixels),
                                 {.grad_output = Tensor::of({1, 4}, kPixels)});
  EXPECT_EQ(run.shape, (Shape{1, 4}));
  EXPECT_THAT(run.output, ElementsAre(1, 3, 2, 4));
  EXPECT_THAT(run.input_gradient, ElementsAre(1, 3, 2, 4));
}

TEST(FlattenTest, OneChannelOrOnePixelIsSharedNotCopied) {
  Flatten flatten;
  for (const Shape& shape : {Shape{1, 2, 2, 1}, Shape{2, 1, 1, 2}}) {
    Tape tape;
    const Variable x = tape.watch(Tensor::of(shape, kPixels));
    const Variable y = flatten.forward(tape, x);
    EXPECT_EQ(y.value().data(), x.value().data());
    tape.backward(y, Tensor::of(y.shape(), kPixels));
    EXPECT_EQ(tape.grad(x).shape(), shape);
    EXPECT_THAT(testing::copy_of(tape.grad(x)), ElementsAre(1, 2, 3, 4));
  }
}

TEST(FlattenTest, RowsPassAsTheyAre) {
  Flatten flatten;
  EXPECT_THAT(run_layer(flatten, Tensor::of({2, 2}, kPixels)).output, ElementsAre(1, 2, 3, 4));
}

TEST(FlattenTest, OtherRanksAreRefused) {
  EXPECT_THAT(
      [] {
        Flatten().output_shape({2, 3, 4});
      },
      ThrowsMessage<Error>(HasSubstr("got [2, 3, 4]")));
}

TEST(FlattenTest, EmptyBatchGivesAnEmptyOutput) {
  Flatten flatten;
  EXPECT_EQ(run_layer(flatten, Tensor({0, 4, 4, 3})).shape, (Shape{0, 48}));
}

TEST(FlattenTest, GradientMatchesDifferencesAndBitsDoNotDependOnThreads) {
  Flatten flatten;
  testing::expect_gradients(flatten, {.input = {3, 4, 3, 2}});
  testing::expect_gradients(flatten, {.input = {3, 4, 3, 1}});
  testing::expect_bits_do_not_depend_on_threads(flatten, {5, 3, 4, 6});
}

// ReLU works on its gradient in place, so a shared one would show.
TEST(FlattenTest, SharedGradientsStayTheLayersOwn) {
  Sequential model;
  model.add("r1", std::make_unique<ReLU>());
  model.add("f", std::make_unique<Flatten>());
  model.add("r2", std::make_unique<ReLU>());
  testing::expect_gradients(model, {.input = {2, 3, 3, 1}});
}

}  // namespace
}  // namespace convoy::nn
