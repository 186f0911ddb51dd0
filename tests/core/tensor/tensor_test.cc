#include "core/tensor/tensor.h"

#include <gtest/gtest.h>

#include <limits>

#include "core/base/check.h"

namespace convoy {
namespace {

TEST(ShapeTest, RefusesWhatCannotBeAShape) {
  EXPECT_THROW(Shape({1, 2, 3, 4, 5}), Error);
  EXPECT_THROW(Shape({2, -1}), Error);
  EXPECT_THROW(Shape({std::numeric_limits<std::int64_t>::max(), 2}), Error);
}

TEST(ShapeTest, ScalarHasOneElement) {
  EXPECT_EQ(Shape().elements(), 1);
  EXPECT_EQ(Shape().str(), "[]");
}

TEST(ShapeTest, TorchOrderPutsChannelsSecond) {
  EXPECT_EQ(torch_order_str({32, 28, 14, 3}), "[32, 3, 28, 14]");
}

TEST(TensorTest, CopySharesAndCloneDoesNot) {
  Tensor a = Tensor::zeros({2, 3});
  Tensor shared = a;
  Tensor copy = a.clone();
  a.values()[4] = 7.0F;
  EXPECT_EQ(shared.values()[4], 7.0F);
  EXPECT_EQ(copy.values()[4], 0.0F);
}

TEST(TensorTest, SliceIsAViewWithinBounds) {
  Tensor a = Tensor::zeros({10});
  a.slice(4, {2, 3}).fill(1.0F);
  EXPECT_EQ(a.values()[3], 0.0F);
  EXPECT_EQ(a.values()[4], 1.0F);
  EXPECT_EQ(a.values()[9], 1.0F);
  EXPECT_THROW(a.slice(5, {2, 3}), Error);
  EXPECT_THROW(a.slice(-1, {2}), Error);
}

TEST(TensorTest, ReshapeKeepsTheNumberOfElements) {
  EXPECT_EQ(Tensor::zeros({2, 6}).reshape({3, 4}).shape(), (Shape{3, 4}));
  EXPECT_THROW(Tensor::zeros({2, 6}).reshape({5}), Error);
}

TEST(TensorTest, OfRefusesAnotherNumberOfValues) {
  const std::array<float, 3> values = {1, 2, 3};
  EXPECT_THROW(Tensor::of({2, 2}, values), Error);
}

}  // namespace
}  // namespace convoy
