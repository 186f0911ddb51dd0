#include "core/nn/linear_factors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "core/base/check.h"
#include "core/nn/linear.h"
#include "core/nn/linear_float32.h"
#include "tests/support/layer_run.h"

namespace convoy::nn {
namespace {

constexpr std::int64_t kIn = 100;
constexpr std::int64_t kOut = 37;

Tensor memory_for(std::int64_t images) {
  return Tensor::full({LinearFactors::floats(images, kIn, kOut)}, 1e30F);
}

TEST(LinearFactorsTest, RowsOfTheProductHaveTheBitsOfTheGradient) {
  for (const std::int64_t images : {0, 1, 8, 9, 32, 33, 70}) {
    for (const bool sparse : {false, true}) {
      Tensor x = testing::random_tensor({images, kIn}, 1);
      for (std::int64_t i = 0; sparse && i < x.elements(); ++i) {
        x.data()[i] = i % 10 < 6 ? 0.0F : x.data()[i];
      }
      const Tensor grad_y = testing::random_tensor({images, kOut}, 2);
      Tensor memory = memory_for(70);  // room for more
      LinearFactors factors(memory.values(), kIn, kOut);
      factors.assign(x, grad_y);
      // Somebody else's, who knows of them only where they lie.
      const LinearFactors read(memory.values(), kIn, kOut);
      ASSERT_TRUE(read.there());
      EXPECT_GE(read.rows_at_once(), 1);
      for (const bool accumulate : {false, true}) {
        Tensor wanted = testing::random_tensor({kIn, kOut}, 3);
        Tensor got = wanted.clone();
        float32_linear_backward_weight(x, grad_y, {wanted, accumulate});
        for (const std::int64_t first : {0, 1, 29, 99}) {
          const std::int64_t end = first == 0 ? 1 : first == 1 ? 29 : first == 29 ? 99 : kIn;
          read.multiply(first, end - first, got.data() + first * kOut, accumulate);
        }
        EXPECT_EQ(testing::copy_of(wanted), testing::copy_of(got))
            << images << " images, " << (sparse ? "sparse" : "dense");
      }
    }
  }
}

TEST(LinearFactorsTest, AreThereUntilTheyAreCleared) {
  Tensor memory = Tensor::zeros({LinearFactors::floats(3, kIn, kOut)});
  LinearFactors factors(memory.values(), kIn, kOut);
  EXPECT_FALSE(factors.there());
  factors.assign(testing::random_tensor({2, kIn}, 1), testing::random_tensor({2, kOut}, 2));
  EXPECT_TRUE(factors.there());
  EXPECT_EQ(factors.images(), 2);
  factors.clear();
  EXPECT_FALSE(factors.there());
}

TEST(LinearFactorsTest, MoreImagesThanThereIsRoomForAreRefused) {
  Tensor memory = memory_for(3);
  LinearFactors factors(memory.values(), kIn, kOut);
  EXPECT_THAT(
      [&] {
        factors.assign(testing::random_tensor({4, kIn}, 1), testing::random_tensor({4, kOut}, 2));
      },
      ::testing::ThrowsMessage<Error>(::testing::HasSubstr("for 4 images")));
}

// A Linear on a tape that has memory for the weight's factors.
class LeftGradientTest : public ::testing::Test {
 protected:
  void SetUp() override {
    tape_.set_factor_memory([this](const Parameter& parameter) {
      ++asked_;
      EXPECT_EQ(&parameter, &linear_.weight());
      return nowhere_ ? std::span<float>() : memory_.values();
    });
    linear_.weight().grad().fill(7.0F);
    linear_.bias().grad().fill(7.0F);
    store_.zero_grad();
  }

  std::vector<float> gradient(int uses) {
    Tape plain;
    Variable y = use(plain, uses);
    plain.backward(y, grad_y_);
    std::vector<float> result = testing::copy_of(linear_.weight().grad());
    store_.zero_grad();
    return result;
  }

  Variable use(Tape& tape, int uses) {
    Variable y = tape.watch(x_);
    for (int i = 0; i < uses; ++i) {
      y = linear_.forward(tape, y);
    }
    return y;
  }

  Linear linear_{{.in_features = kIn, .out_features = kIn}};
  ParameterStore store_{{{"weight", &linear_.weight()}, {"bias", &linear_.bias()}}, 0};
  Tensor x_ = testing::random_tensor({5, kIn}, 1);
  Tensor grad_y_ = testing::random_tensor({5, kIn}, 2);
  Tensor memory_{{LinearFactors::floats(5, kIn, kIn)}};
  Tape tape_;
  int asked_ = 0;
  bool nowhere_ = false;
};

TEST_F(LeftGradientTest, TheGradientIsTheFactorsProductAndNothingElseIsWritten) {
  const std::vector<float> wanted = gradient(1);
  const std::vector<float> before = testing::copy_of(linear_.weight().grad());
  store_.zero_grad();
  std::ranges::copy(wanted, linear_.weight().grad().data());
  store_.zero_grad();
  tape_.backward(use(tape_, 1), grad_y_);
  EXPECT_EQ(asked_, 1);
  EXPECT_EQ(testing::copy_of(linear_.weight().grad()), wanted) << "its memory was left alone";
  const LinearFactors factors(memory_.values(), kIn, kIn);
  ASSERT_TRUE(factors.there());
  Tensor product({kIn, kIn});
  factors.multiply(0, kIn, product.data(), false);
  EXPECT_EQ(testing::copy_of(product), wanted);
  EXPECT_NE(linear_.bias().grad().data()[0], 0.0F);
}

TEST_F(LeftGradientTest, AWeightThatIsUsedTwiceIsNotLeft) {
  const std::vector<float> wanted = gradient(2);
  tape_.backward(use(tape_, 2), grad_y_);
  EXPECT_EQ(asked_, 0);
  EXPECT_EQ(testing::copy_of(linear_.weight().grad()), wanted);
}

TEST_F(LeftGradientTest, AGradientThatAddsToAnotherIsNotLeft) {
  const std::vector<float> once = gradient(1);
  Tape plain;
  plain.backward(use(plain, 1), grad_y_);
  tape_.backward(use(tape_, 1), grad_y_);
  EXPECT_EQ(asked_, 0);
  for (std::size_t i = 0; i < once.size(); ++i) {
    ASSERT_NEAR(linear_.weight().grad().data()[i], 2 * once[i], 1e-5);
  }
}

TEST_F(LeftGradientTest, WithoutRoomForAllRowsItIsMadeAsEver) {
  const std::vector<float> wanted = gradient(1);
  memory_ = Tensor({LinearFactors::floats(5, kIn, kIn) - 1});
  tape_.backward(use(tape_, 1), grad_y_);
  EXPECT_EQ(asked_, 1);
  EXPECT_EQ(testing::copy_of(linear_.weight().grad()), wanted);
}

TEST_F(LeftGradientTest, WithoutMemoryItIsMadeAsEver) {
  const std::vector<float> wanted = gradient(1);
  nowhere_ = true;
  tape_.backward(use(tape_, 1), grad_y_);
  EXPECT_EQ(asked_, 1);
  EXPECT_EQ(testing::copy_of(linear_.weight().grad()), wanted);
}

}  // namespace
}  // namespace convoy::nn
