#include "core/autograd/tape.h"

#include <gtest/gtest.h>

#include "core/base/check.h"

namespace convoy {
namespace {

// y = w * x elementwise, with as many inputs as a test needs.
class ScaleNode : public Node {
 public:
  ScaleNode(GradSlot input, Tensor x, Parameter& weight)
      : input_(input), x_(std::move(x)), weight_(&weight) {}

  std::string_view name() const override { return "Scale"; }
  std::span<Parameter* const> parameters() const override { return {&weight_, 1}; }

  void backward(Tape& tape, Tensor grad_output) override {
    Tensor grad_input(grad_output.shape());
    for (std::size_t i = 0; i < grad_output.values().size(); ++i) {
      weight_->grad().values()[0] += grad_output.values()[i] * x_.values()[i];
      grad_input.values()[i] = grad_output.values()[i] * weight_->value().values()[0];
    }
    tape.add_grad(input_, grad_input);
  }

 private:
  GradSlot input_;
  Tensor x_;
  Parameter* weight_;
};

Variable scale(Tape& tape, const Variable& x, Parameter& weight) {
  Tensor y(x.shape());
  for (std::size_t i = 0; i < y.values().size(); ++i) {
    y.values()[i] = weight.value().values()[0] * x.value().values()[i];
  }
  return tape.recording() ? tape.record(y, std::make_unique<ScaleNode>(x.slot(), x.value(), weight))
                          : Variable(y);
}

void twos(Tensor& value, RandomSequence&) {
  value.fill(2.0F);
}
void threes(Tensor& value, RandomSequence&) {
  value.fill(3.0F);
}

class TapeTest : public ::testing::Test {
 protected:
  Parameter a_{{.shape = {1}, .initializer = twos}};
  Parameter b_{{.shape = {1}, .initializer = threes}};
  ParameterStore store_{{{"a", &a_}, {"b", &b_}}, 0};
  Tape tape_;
};

TEST_F(TapeTest, ChainsGradientsAndAddsToParameters) {
  for (int repeat = 1; repeat <= 2; ++repeat) {
    const Variable x = tape_.watch(Tensor::full({4}, 5.0F));
    tape_.backward(scale(tape_, scale(tape_, x, a_), b_));
    EXPECT_EQ(tape_.grad(x).values()[3], 6.0F);
    EXPECT_EQ(a_.grad().values()[0], static_cast<float>(repeat) * 4 * 5 * 3);
    EXPECT_EQ(b_.grad().values()[0], static_cast<float>(repeat) * 4 * 10);
  }
}

TEST_F(TapeTest, ReadyComesAfterTheLastUseInReverseOrder) {
  std::vector<std::string> ready;
  tape_.set_on_ready([&](Parameter& parameter) { ready.push_back(parameter.name()); });
  const Variable x = tape_.watch(Tensor::full({1}, 1.0F));
  tape_.backward(scale(tape_, scale(tape_, scale(tape_, x, a_), b_), a_));
  EXPECT_EQ(ready, (std::vector<std::string>{"b", "a"}));
  EXPECT_EQ(a_.grad().values()[0], 12.0F);
}

TEST_F(TapeTest, ParameterThatNoGradientReachesIsZeroWhenItIsReady) {
  const std::span<const float> gradients = store_.gradients();
  a_.grad().fill(7.0F);
  store_.zero_grad();
  float seen = -1.0F;
  tape_.set_on_ready([&](Parameter& parameter) {
    seen = &parameter == &a_ ? gradients[static_cast<std::size_t>(a_.offset())] : seen;
  });
  const Variable x = tape_.watch(Tensor::full({1}, 1.0F));
  scale(tape_, x, a_);  // the result is not used
  tape_.backward(scale(tape_, x, b_));
  EXPECT_EQ(seen, 0.0F);
}

TEST_F(TapeTest, TwoUsesOfOneVariableAddUp) {
  const Variable x = tape_.watch(Tensor::full({1}, 1.0F));
  const Variable once = scale(tape_, x, a_);
  const Variable left = scale(tape_, once, b_);
  const Variable right = scale(tape_, once, b_);
  class AddNode : public Node {
   public:
    AddNode(GradSlot left, GradSlot right) : left_(left), right_(right) {}
    std::string_view name() const override { return "Add"; }
    void backward(Tape& tape, Tensor grad_output) override {
      tape.add_grad(left_, grad_output.clone());
      tape.add_grad(right_, std::move(grad_output));
    }

   private:
    GradSlot left_;
    GradSlot right_;
  };
  tape_.backward(
      tape_.record(Tensor::full({1}, 12.0F), std::make_unique<AddNode>(left.slot(), right.slot())));
  EXPECT_EQ(tape_.grad(x).values()[0], 12.0F);
}

TEST_F(TapeTest, SecondBackwardIsRefused) {
  const Variable y = scale(tape_, Tensor::full({1}, 1.0F), a_);
  tape_.backward(y);
  EXPECT_THROW(tape_.backward(y), Error);
}

TEST_F(TapeTest, EvaluationRecordsNothing) {
  Tape tape = Tape::evaluation();
  const Variable y = scale(tape, Tensor::full({1}, 1.0F), a_);
  EXPECT_FALSE(y.requires_grad());
  EXPECT_THROW(tape.backward(y), Error);
}

TEST_F(TapeTest, BeginStepForgetsAnUnfinishedOne) {
  scale(tape_, Tensor::full({1}, 1.0F), a_);
  tape_.begin_step({.seed = 1, .step = 2});
  int ready = 0;
  tape_.set_on_ready([&](Parameter&) { ++ready; });
  tape_.backward(scale(tape_, Tensor::full({1}, 1.0F), a_));
  EXPECT_EQ(ready, 1);
  EXPECT_EQ(a_.grad().values()[0], 1.0F);
}

}  // namespace
}  // namespace convoy
