// Values against PyTorch are in tests/parity; here are refusals, gradients and bits.
#include "core/nn/conv2d.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/check.h"
#include "tests/support/gradient_check.h"
#include "tests/support/layer_run.h"

namespace convoy::nn {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(Conv2dTest, ComputesACrossCorrelationByHand) {
  Conv2d conv({.in_channels = 1, .out_channels = 1, .kernel_size = 2});
  const ParameterStore store(conv.named_parameters(), 0);
  const std::array<float, 4> weight = {1, 2, 3, 4};
  std::ranges::copy(weight, conv.weight().value().data());
  conv.bias().value().fill(10.0F);
  const std::array<float, 6> image = {1, 2, 3, 4, 5, 6};
  Tape tape = Tape::evaluation();
  const Variable y = conv.forward(tape, Tensor::of({1, 2, 3, 1}, image));
  ASSERT_EQ(y.shape(), (Shape{1, 1, 2, 1}));
  EXPECT_EQ(y.value().values()[0], 10 + 1 + 4 + 12 + 20);
  EXPECT_EQ(y.value().values()[1], 10 + 2 + 6 + 15 + 24);
}

TEST(Conv2dTest, DescribesItselfAsPyTorchDoes) {
  EXPECT_EQ(
      Conv2d({.in_channels = 1, .out_channels = 32, .kernel_size = 3, .padding = 1}).describe(),
      "Conv2d(1, 32, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))");
  EXPECT_EQ(Conv2d({.in_channels = 4,
                    .out_channels = 8,
                    .kernel_size = {3, 5},
                    .padding = Padding::same(),
                    .dilation = {1, 2},
                    .groups = 2,
                    .bias = false,
                    .padding_mode = PaddingMode::kReflect})
                .describe(),
            "Conv2d(4, 8, kernel_size=(3, 5), stride=(1, 1), padding=same, dilation=(1, 2), "
            "groups=2, bias=False, padding_mode=reflect)");
}

TEST(Conv2dTest, RefusesBadOptionsWithTheNumbers) {
  const auto refusal = [](Conv2dOptions options) { return [options] { Conv2d conv(options); }; };
  EXPECT_THAT(refusal({.in_channels = 3, .out_channels = 4, .kernel_size = 3, .groups = 2}),
              ThrowsMessage<Error>(HasSubstr("in_channels 3 must be divisible by groups 2")));
  EXPECT_THAT(refusal({.in_channels = 4, .out_channels = 3, .kernel_size = 3, .groups = 2}),
              ThrowsMessage<Error>(HasSubstr("out_channels 3 must be divisible by groups 2")));
  EXPECT_THAT(refusal({.in_channels = 4, .out_channels = 4}),
              ThrowsMessage<Error>(HasSubstr("kernel_size (0, 0)")));
  EXPECT_THAT(refusal({.in_channels = 4, .out_channels = 4, .kernel_size = 3, .stride = {1, 0}}),
              ThrowsMessage<Error>(HasSubstr("stride (1, 0)")));
  EXPECT_THAT(refusal({.in_channels = 4, .out_channels = 4, .kernel_size = 3, .padding = -1}),
              ThrowsMessage<Error>(HasSubstr("padding (-1, -1)")));
  EXPECT_THAT(refusal({.in_channels = 4,
                       .out_channels = 4,
                       .kernel_size = 3,
                       .stride = 2,
                       .padding = Padding::same()}),
              ThrowsMessage<Error>(HasSubstr("padding 'same' needs stride 1, not (2, 2)")));
}

TEST(Conv2dTest, RefusesInputsThatDoNotFitWithTheNumbers) {
  const auto shape = [](Conv2dOptions options, Shape x) {
    return [options, x] { Conv2d(options).output_shape(x); };
  };
  const Conv2dOptions plain = {.in_channels = 2, .out_channels = 4, .kernel_size = 5};
  EXPECT_THAT(shape(plain, {1, 9, 9, 3}),
              ThrowsMessage<Error>(HasSubstr("[1, 3, 9, 9] has 3 channels, but in_channels is 2")));
  EXPECT_THAT(shape(plain, {1, 4, 9, 2}), ThrowsMessage<Error>(HasSubstr("(4, 9) is smaller")));
  EXPECT_THAT(shape(plain, {1, 9}), ThrowsMessage<Error>(HasSubstr("[1, 9]")));
  Conv2dOptions reflect = plain;
  reflect.padding = 4;
  reflect.padding_mode = PaddingMode::kReflect;
  EXPECT_THAT(shape(reflect, {1, 4, 9, 2}),
              ThrowsMessage<Error>(HasSubstr("reflect padding of (4, 4) rows")));
  EXPECT_NO_THROW(Conv2d(reflect).output_shape({1, 5, 5, 2}));
}

TEST(Conv2dTest, EmptyBatchGivesAnEmptyOutput) {
  Conv2d conv({.in_channels = 2, .out_channels = 3, .kernel_size = 3, .padding = 1});
  const ParameterStore store(conv.named_parameters(), 0);
  Tape tape;
  const Variable y = conv.forward(tape, Tensor({0, 5, 5, 2}));
  EXPECT_EQ(y.shape(), (Shape{0, 5, 5, 3}));
  tape.backward(y);
  EXPECT_EQ(conv.weight().grad().values()[0], 0.0F);
}

class Conv2dGradientTest : public ::testing::TestWithParam<Conv2dOptions> {};

TEST_P(Conv2dGradientTest, MatchesDifferences) {
  Conv2d conv(GetParam());
  testing::expect_gradients(conv, {.input = {2, 6, 5, GetParam().in_channels}});
}

TEST_P(Conv2dGradientTest, BitsDoNotDependOnThreads) {
  Conv2d conv(GetParam());
  testing::expect_bits_do_not_depend_on_threads(conv, {5, 9, 8, GetParam().in_channels});
}

INSTANTIATE_TEST_SUITE_P(
    Options, Conv2dGradientTest,
    ::testing::Values(
        Conv2dOptions{.in_channels = 3, .out_channels = 5, .kernel_size = 3, .padding = 1},
        Conv2dOptions{.in_channels = 2, .out_channels = 3, .kernel_size = {2, 3}, .stride = {2, 1}},
        Conv2dOptions{.in_channels = 4,
                      .out_channels = 6,
                      .kernel_size = 3,
                      .padding = Padding::same(),
                      .dilation = {1, 2},
                      .groups = 2,
                      .padding_mode = PaddingMode::kCircular},
        Conv2dOptions{.in_channels = 3,
                      .out_channels = 3,
                      .kernel_size = 2,
                      .padding = Padding::same(),
                      .groups = 3,
                      .bias = false,
                      .padding_mode = PaddingMode::kReplicate},
        Conv2dOptions{.in_channels = 2,
                      .out_channels = 4,
                      .kernel_size = 3,
                      .padding = {2, 1},
                      .padding_mode = PaddingMode::kReflect}));

}  // namespace
}  // namespace convoy::nn
