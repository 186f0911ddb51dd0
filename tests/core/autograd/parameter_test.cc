#include "core/autograd/parameter.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/base/check.h"

namespace convoy {
namespace {

void ones(Tensor& value, RandomSequence&) {
  value.fill(1.0F);
}

TEST(ParameterStoreTest, ParametersAreAlignedViewsOfTheFlatBuffers) {
  Parameter a({.shape = {5}, .initializer = ones});
  Parameter statistics({.shape = {3}, .trainable = false});
  Parameter b({.shape = {2, 20}, .initializer = ones});
  ParameterStore store({{"a", &a}, {"statistics", &statistics}, {"b", &b}}, 0);

  EXPECT_EQ(store.values().size(), 16U + 48U);
  EXPECT_EQ(b.value().data(), store.values().data() + b.offset());
  EXPECT_EQ(b.grad().data(), store.gradients().data() + b.offset());
  EXPECT_EQ(b.offset() % 16, 0);
  EXPECT_EQ(std::ranges::count(store.values(), 1.0F), 45);
  EXPECT_EQ(store.trainable_elements(), 45);
  EXPECT_TRUE(statistics.grad().empty());
  EXPECT_EQ(store.find("statistics"), &statistics);
  EXPECT_EQ(store.find("c"), nullptr);

  b.grad().fill(2.0F);
  store.zero_grad();
  EXPECT_EQ(b.grad().values()[39], 0.0F);
}

TEST(ParameterStoreTest, FirstGradientAfterZeroingOverwritesAndLaterOnesAdd) {
  Parameter a({.shape = {5}});
  ParameterStore store({{"a", &a}}, 0);
  for (int step = 0; step < 2; ++step) {
    store.zero_grad();
    EXPECT_FALSE(a.contribute_grad().accumulate);
    EXPECT_TRUE(a.contribute_grad().accumulate);
    EXPECT_EQ(a.contribute_grad().sum.data(), store.gradients().data());
  }
}

TEST(ParameterStoreTest, WhereNoGradientCameAreZerosWheneverOneLooks) {
  Parameter a({.shape = {5}});
  Parameter b({.shape = {20}});
  ParameterStore store({{"a", &a}, {"b", &b}}, 0);
  const std::span<const float> early = store.gradients();
  const auto spoil = [&] {
    store.zero_grad();
    for (Parameter* parameter : {&a, &b}) {
      parameter->contribute_grad().sum.fill(3.0F);
    }
    store.zero_grad();
  };
  spoil();
  EXPECT_EQ(a.grad().values()[4], 0.0F);
  EXPECT_TRUE(a.contribute_grad().accumulate) << "its memory holds zeros by now";
  spoil();
  EXPECT_EQ(std::ranges::count(store.gradients(), 0.0F), 48);
  spoil();
  a.contribute_grad().sum.fill(1.0F);
  store.settle_grad();
  EXPECT_EQ(std::ranges::count(early, 0.0F), 43);
  EXPECT_EQ(early[0], 1.0F);
}

TEST(ParameterStoreTest, EachParameterHasItsOwnRandomNumbersFromTheSeed) {
  const auto draw = [](Tensor& value, RandomSequence& random) {
    std::ranges::generate(value.values(), [&] { return random.uniform(); });
  };
  const auto values = [&](std::uint64_t seed) {
    Parameter a({.shape = {4}, .initializer = draw});
    Parameter b({.shape = {4}, .initializer = draw});
    ParameterStore store({{"a", &a}, {"b", &b}}, seed);
    return std::vector<float>(store.values().begin(), store.values().end());
  };
  EXPECT_EQ(values(1), values(1));
  EXPECT_NE(values(1), values(2));
  EXPECT_NE(values(1)[0], values(1)[16]);
}

TEST(ParameterStoreTest, MovesWithEverythingInItIntoOtherMemory) {
  Parameter a({.shape = {5}, .initializer = ones});
  Parameter statistics({.shape = {3}, .initializer = ones, .trainable = false});
  ParameterStore store({{"a", &a}, {"statistics", &statistics}}, 0);
  a.grad().fill(2.0F);
  Tensor values({32});
  Tensor gradients({16});
  store.move_to(values, gradients);
  EXPECT_EQ(store.all_values().data(), values.data());
  EXPECT_EQ(store.values().size(), 16U);
  EXPECT_EQ(a.value().data(), values.data());
  EXPECT_EQ(a.grad().data(), gradients.data());
  EXPECT_EQ(statistics.value().data(), values.data() + 16);
  EXPECT_EQ(std::ranges::count(store.all_values(), 1.0F), 8);
  EXPECT_EQ(std::ranges::count(store.gradients(), 2.0F), 5);

  store.move_to(Tensor({32}), {});
  EXPECT_EQ(a.grad().data(), gradients.data()) << "gradients stay where no memory is given";
  EXPECT_NE(a.value().data(), values.data());

  Tensor theirs({32});
  theirs.fill(7.0F);
  store.adopt(theirs, {});
  EXPECT_EQ(a.value().data(), theirs.data());
  EXPECT_EQ(std::ranges::count(store.all_values(), 7.0F), 32);
  EXPECT_THROW(store.move_to(Tensor({31}), {}), Error);
  EXPECT_THROW(store.move_to(Tensor({32}), Tensor({17})), Error);
}

TEST(ParameterStoreTest, GradientsAreSummedUpInOtherMemoryAndThenWhereTheyWere) {
  Parameter a({.shape = {5}});
  ParameterStore store({{"a", &a}}, 0);
  a.grad().fill(2.0F);
  const Tensor before = store.gradient_memory();
  Tensor other = Tensor::full({16}, 7.0F);

  store.use_gradient_memory(other);
  EXPECT_EQ(std::ranges::count(store.gradients(), 7.0F), 16) << "what it holds counts";
  store.zero_grad();
  const auto [sum, accumulate] = a.contribute_grad();
  EXPECT_EQ(sum.data(), other.data());
  EXPECT_FALSE(accumulate);
  sum.fill(3.0F);

  store.use_gradient_memory(before);
  EXPECT_EQ(std::ranges::count(store.gradients(), 2.0F), 5);
  EXPECT_EQ(std::ranges::count(other.values(), 3.0F), 5);
  EXPECT_THROW(store.use_gradient_memory(Tensor({17})), Error);
}

TEST(ParameterStoreTest, TwoOfOneNameAreRefused) {
  Parameter a({.shape = {1}});
  Parameter b({.shape = {1}});
  EXPECT_THROW(ParameterStore({{"x", &a}, {"x", &b}}, 0), Error);
}

}  // namespace
}  // namespace convoy
